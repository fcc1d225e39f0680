"""Wrong: it drops the sign of a length before it checks it.

Then -1 is a very large number, and refused, as it should be. But -2,147,483,648 has no other bit than the sign, and
becomes 0: an empty frame. The fix is to look at the number as it came.

lab: read-exactly, case: extreme-lengths
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
        (length,) = struct.unpack("<I", prefix)
        length &= 0x7FFF_FFFF  # here: without its sign it is another number
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
