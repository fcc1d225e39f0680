"""Wrong: it gives a client 3 s to read.

A peer that doesn't read for so long must be gone, or so it seems. But the protocol has no time limit: the client may do
something else first, and read then. The fix is a send that waits, in a thread of its own.

lab: many-clients, case: never-reads
"""

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
                conn.settimeout(3)  # here: the client may read later
                conn.sendall(struct.pack("<i", len(frame)) + frame.upper())
                conn.settimeout(None)
        except (OSError, ValueError) as error:
            print(error, file=sys.stderr)


def read_frame(conn):
    """The next frame; None when the peer has ended its side between two frames."""
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
