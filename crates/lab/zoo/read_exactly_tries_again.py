"""Wrong: when the connection breaks, it connects again, for as long as it takes.

The server may be gone for good, and what was half read is not what comes next. The fix is to say what happened, and
end.

lab: read-exactly, case: reset
"""

import hashlib
import socket
import struct
import sys
import time

LIMIT = 16 << 20


def main():
    host, port = sys.argv[-1].rsplit(":", 1)
    while True:
        try:
            with socket.create_connection((host, int(port))) as server:
                return print_all(server)
        except ValueError as error:
            sys.exit(f"read-exactly: {error}")
        except OSError:
            time.sleep(0.1)  # here: and if it never comes back?


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
    return bytes(got)


if __name__ == "__main__":
    main()
