"""Wrong: it reads the bytes of a length as signed numbers, as `char` is in C on many machines.

A byte of 0x80 then counts -128 where it should count 128. While the lengths are below 128, nobody sees it. The fix is
to unpack four bytes without a sign, or the whole number at once.

lab: read-exactly, case: lengths
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
        # here: only the last of the four has a sign
        length = sum(b << 8 * n for n, b in enumerate(struct.unpack("4b", prefix)))
        if not 0 <= length <= LIMIT:
            raise ValueError(f"expected a length from 0 to {LIMIT}, got {length}")
        body = read(server, length)
        if len(body) < length:
            raise ValueError("the stream ended inside a body")
        print(hashlib.sha256(body).hexdigest())


def read(server, size):
    got = bytearray()
    while len(got) < size:
        piece = server.recv(min(size - len(got), 65536))
        if not piece:
            break
        got += piece
    return bytes(got)


if __name__ == "__main__":
    main()
