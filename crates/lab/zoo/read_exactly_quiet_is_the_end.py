"""Wrong: when no frame has come for 3 s, it treats that as the end.

The server has not ended its side, so it may send more. The fix is to wait for 0 bytes from recv.

lab: read-exactly, case: silence-between
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
    while prefix := first(server):
        if len(prefix) < 4:
            raise ValueError("the stream ended inside a length")
        (length,) = struct.unpack("<i", prefix)
        if not 0 <= length <= LIMIT:
            raise ValueError(f"expected a length from 0 to {LIMIT}, got {length}")
        body = read(server, length)
        if len(body) < length:
            raise ValueError("the stream ended inside a body")
        print(hashlib.sha256(body).hexdigest())


def first(server):
    server.settimeout(3)
    try:
        byte = read(server, 1)
    except TimeoutError:
        return b""  # here: nothing has come yet, and that is not the end
    server.settimeout(None)
    return byte + read(server, 3) if byte else b""


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
