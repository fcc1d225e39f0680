"""Wrong: it prints every piece that it reads, in hex, on stderr, and forgets to take that out.

With small frames that helps. With large ones it prints 64 MiB, and whoever keeps the log has to keep all of it. Right is to say
how long a piece was, if anything.

lab: read-exactly, case: limit
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
    while len(got) < size:
        piece = server.recv(min(size - len(got), 65536))
        if not piece:
            break
        got += piece
        print(piece.hex(), file=sys.stderr)  # here: twice as much as has come
    return bytes(got)


if __name__ == "__main__":
    main()
