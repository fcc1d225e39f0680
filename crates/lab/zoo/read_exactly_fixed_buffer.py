"""Wrong: it has a buffer of 64 KiB, and reads no more of a body than fits.

The rest is skipped, so that the next length is found; the digest is that of the beginning. The fix is a buffer as long
as the body.

lab: read-exactly, case: large
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
        body = read(server, min(length, 65536))  # here: a body may be longer
        if len(body) + len(read(server, length - len(body))) < length:
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
