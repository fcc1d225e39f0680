"""Wrong: it assumes that there is at least one frame.

The first length is read before the loop, and there an end is an error. A server that has nothing to say ends its stream
at once, and is right. The fix is one place that reads a length, and an end is allowed there each time.

lab: read-exactly, case: no-frame
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
    prefix = read(server, 4)
    if not prefix:  # here: no frame at all is no error
        raise ValueError("the stream ended before the first frame")
    while prefix:
        if len(prefix) < 4:
            raise ValueError("the stream ended inside a length")
        (length,) = struct.unpack("<i", prefix)
        if not 0 <= length <= LIMIT:
            raise ValueError(f"expected a length from 0 to {LIMIT}, got {length}")
        body = read(server, length)
        if len(body) < length:
            raise ValueError("the stream ended inside a body")
        print(hashlib.sha256(body).hexdigest())
        prefix = read(server, 4)


def read(server, size):
    got = b""
    while len(got) < size:
        piece = server.recv(min(size - len(got), 65536))
        if not piece:
            break
        got += piece
    return got


if __name__ == "__main__":
    main()
