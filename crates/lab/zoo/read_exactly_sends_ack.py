"""Wrong: it answers each frame with "ok".

Nobody asked for it. A server that never reads is stuck once its buffers are full, and one that closes with the answers
unread resets the connection. The fix is to send nothing.

lab: read-exactly, case: one-frame
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
        server.sendall(b"ok")  # here: the protocol has no answers


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
