"""Fix 1, the ack handshake, in Python: read a length, say OK, read as many bytes.

    python3 client.py 127.0.0.1:8888 'echo hi' 'ls'

A peer for tests: the answers' bytes go to standard output unchanged.
"""
import argparse
import os
import socket
import sys

MAX_FRAME = 16 * 1024 * 1024


def main():
    options = parse()
    with socket.create_connection(options.server, timeout=30) as connection:
        for command in options.commands:
            connection.sendall(os.fsencode(command))
            sys.stdout.buffer.write(read_answer(connection))
            sys.stdout.flush()


def read_answer(connection):
    # Nothing marks the end of the number: one recv is all this protocol offers. That is its weakness.
    text = connection.recv(1024)
    if not text:
        sys.exit("client.py: the server closed without a length")
    if not text.isdigit() or len(text) > 10 or int(text) > MAX_FRAME:
        sys.exit(f"client.py: not a length up to {MAX_FRAME}: {text[:20]!r}")
    connection.sendall(b"OK")
    return read_exact(connection, int(text))


def read_exact(connection, count):
    """One recv may return less than it was asked for: count what came."""
    data = bytearray()
    while len(data) < count:
        piece = connection.recv(min(count - len(data), 65536))
        if not piece:
            sys.exit(f"client.py: the stream ended after {len(data)} of {count} bytes")
        data += piece
    return bytes(data)


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("server", type=address, metavar="HOST:PORT")
    parser.add_argument("commands", nargs="*", metavar="COMMAND")
    return parser.parse_args()


def address(text):
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        sys.exit(f"client.py: {error}")
