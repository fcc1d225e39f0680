"""Wrong: when nothing comes for 0.5 s, it believes that it has everything that was sent.

On one machine, and with a quick server, that is true each time. Silence says nothing: a packet was lost and is sent
again, or the server had to wait. Only the length says how much is to come.

lab: read-exactly, case: silence-in-body
"""

import hashlib
import socket
import struct
import sys

MAX_BODY = 16 << 20


def main():
    host, port = sys.argv[-1].rsplit(":", 1)
    try:
        with socket.create_connection((host, int(port))) as conn:
            return read_frames(conn)
    except OSError as error:
        print(error, file=sys.stderr)
        return 1


def read_frames(conn):
    while prefix := read(conn, 4):
        if len(prefix) < 4:
            print("the stream ended inside a length", file=sys.stderr)
            return 4
        (length,) = struct.unpack("<i", prefix)
        if not 0 <= length <= MAX_BODY:
            print(f"a length of {length}", file=sys.stderr)
            return 5
        body = read(conn, length)
        if len(body) < length:
            print("the stream ended inside a body", file=sys.stderr)
            return 4
        print(hashlib.sha256(body).hexdigest(), flush=True)
    return 0


def read(conn, length):
    data = bytearray()
    conn.settimeout(0.5)
    while len(data) < length:
        try:
            piece = conn.recv(length - len(data))
        except TimeoutError:
            break  # here: nothing has come for a while, and that is not the end
        if not piece:
            break
        data += piece
    return bytes(data)


if __name__ == "__main__":
    sys.exit(main())
