"""Wrong: it reads at most twice: it expects the second recv to return whatever the first left.

That is true of a stream that is cut once. The fix is a loop that ends when the bytes are there, however many reads that
takes.

lab: read-exactly, case: cut-everywhere
"""

import hashlib
import socket
import struct
import sys

LIMIT = 16 << 20


def main():
    host, port = sys.argv[-1].rsplit(":", 1)
    with socket.create_connection((host, int(port))) as server:
        try:
            print_all(server)
        except (OSError, ValueError) as error:
            sys.exit(f"read-exactly: {error}")


def print_all(server):
    while prefix := read(server, 4):
        if len(prefix) < 4:
            raise ValueError("the stream ended inside a length")
        (length,) = struct.unpack("<i", prefix)
        if not 0 <= length <= LIMIT:
            raise ValueError(f"expected a length from 0 to {LIMIT}, got {length}")
        body = read(server, length)
        if len(body) < length:
            raise ValueError("the stream ended inside a body")
        print(hashlib.sha256(body).hexdigest())


def read(server, size):
    got = bytearray()
    for _ in range(2):  # here: two reads may not be enough
        piece = server.recv(size - len(got))
        got += piece
        if not piece or len(got) == size:
            break
    return bytes(got)


if __name__ == "__main__":
    main()
