"""Fix 2, the length prefix, in Python: read four bytes of length, then as many bytes.

    python3 client.py 127.0.0.1:8888 'echo hi' 'ls'

A peer for tests: the answers' bytes go to standard output unchanged.
"""
import argparse
import os
import socket
import struct
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
    (length,) = struct.unpack("<i", read_exact(connection, 4))
    if not 0 <= length <= MAX_FRAME:
        sys.exit(f"client.py: a length of {length} is not within 0 to {MAX_FRAME}")
    return read_exact(connection, length)


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
