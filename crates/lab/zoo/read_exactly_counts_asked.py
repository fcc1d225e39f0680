"""Wrong: it counts the bytes it asked for, not the bytes that came.

recv(n) returns up to n bytes. If it returns fewer, the count runs ahead, the loop ends early, and the rest of the body
is read as the next length. The fix is `missing -= len(piece)`.

lab: read-exactly, case: cut-in-body
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
        body, missing = b"", length
        while missing > 0:
            asked = min(missing, 1024)
            piece = server.recv(asked)
            if not piece:
                raise ValueError("the stream ended inside a body")
            body += piece
            missing -= asked  # here: it should be `missing -= len(piece)`
        print(hashlib.sha256(body).hexdigest())


def read(server, size):
    got = b""
    while len(got) < size:
        piece = server.recv(size - len(got))
        if not piece:
            break
        got += piece
    return got


if __name__ == "__main__":
    main()
