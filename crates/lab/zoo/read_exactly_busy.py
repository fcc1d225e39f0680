"""Wrong: it keeps asking whether anything has come.

The result is right, and the processor is busy for as long as the server is silent. The fix is a recv that waits, or
`select`.

lab: read-exactly, case: waits
"""

import hashlib
import socket
import struct
import sys

LIMIT = 16 << 20


def main():
    host, port = sys.argv[-1].rsplit(":", 1)
    with socket.create_connection((host, int(port))) as server:
        server.setblocking(False)
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
        try:
            piece = server.recv(min(size - len(got), 65536))
        except BlockingIOError:
            continue  # here: it never waits
        if not piece:
            break
        got += piece
    return bytes(got)


if __name__ == "__main__":
    main()
