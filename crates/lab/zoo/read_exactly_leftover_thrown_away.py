"""Wrong: if one recv returns bytes from after the end of the frame, they are thrown away.

It collects until the frame is whole, as it should, and then begins the next frame with an empty buffer. When the server sends
a frame, waits, and sends the next, nothing is ever left over. When two frames come in one piece, the second is lost.

lab: read-exactly, case: merged
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
    while True:
        buffer = b""  # here: it should keep what is left of the last one
        while len(buffer) < 4 or len(buffer) < 4 + length_of(buffer):
            piece = server.recv(65536)
            if not piece and not buffer:
                return
            if not piece:
                raise ValueError("the stream ended inside a frame")
            buffer += piece
        print(hashlib.sha256(buffer[4 : 4 + length_of(buffer)]).hexdigest())


def length_of(buffer):
    (length,) = struct.unpack("<i", buffer[:4])
    if not 0 <= length <= LIMIT:
        raise ValueError(f"expected a length from 0 to {LIMIT}, got {length}")
    return length


if __name__ == "__main__":
    main()
