"""The client of cases 1 and 2, in Python: two small sends, then close.

    python3 two_sends.py 127.0.0.1:8888

A peer for tests. When it has ended, the other side's kernel holds all seven bytes and the end of the stream.
"""
import argparse
import socket
import struct
import sys


def main():
    options = parse()
    with socket.create_connection(options.server, timeout=30) as connection:
        # struct linger { on, seconds }: close returns when everything has been acknowledged, not before.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 30))
        # A time-out makes the descriptor non-blocking, and close on such a one does not linger.
        connection.settimeout(None)
        connection.sendall(b"hello")
        connection.sendall(b"hi")


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("server", type=address, metavar="HOST:PORT")
    return parser.parse_args()


def address(text):
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        sys.exit(f"two_sends.py: {error}")
