"""Wrong: it closes a connection that was silent for 3 s between two frames.

It looks like good manners: somebody else may need the place. But the protocol has no time limit. The fix is to wait for
as long as the client likes.

lab: many-clients, case: silence
"""

import select
import socket
import struct
import sys
import threading

LIMIT = 16 << 20


def main():
    host, port = sys.argv[-1].rsplit(":", 1)
    if host != "127.0.0.1":
        sys.exit("this is a wrong program: it listens on 127.0.0.1 only")
    with socket.create_server((host, int(port))) as listener:
        print(f"listening on {host}:{port}", flush=True)
        while True:
            conn, _peer = listener.accept()
            threading.Thread(target=serve, args=(conn,), daemon=True).start()


def serve(conn):
    with conn:
        try:
            while (frame := read_frame(conn)) is not None:
                conn.sendall(struct.pack("<i", len(frame)) + frame.upper())
        except (OSError, ValueError) as error:
            print(error, file=sys.stderr)


def read_frame(conn):
    """The next frame; None when the peer has ended its side between two frames."""
    if not select.select([conn], [], [], 3)[0]:  # here: silence is not the end
        return None
    prefix = read_exactly(conn, 4)
    if not prefix:
        return None
    if len(prefix) < 4:
        raise ValueError("the stream ended inside a length")
    (length,) = struct.unpack("<i", prefix)
    if not 0 <= length <= LIMIT:
        raise ValueError(f"expected a length from 0 to {LIMIT}, got {length}")
    body = read_exactly(conn, length)
    if len(body) < length:
        raise ValueError("the stream ended inside a frame")
    return body


def read_exactly(conn, length):
    data = bytearray()
    while len(data) < length:
        piece = conn.recv(min(length - len(data), 1 << 16))
        if not piece:
            break
        data += piece
    return bytes(data)


if __name__ == "__main__":
    main()
