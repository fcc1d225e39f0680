"""Wrong: it treats an empty frame as the end of the stream.

The frame's body is b"", and b"" is false, as None is. So the loop ends, and the client with it. The fix is `is not
None`.

lab: many-clients, case: one-client
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
            while frame := read_frame(conn):  # here: b"" is false, too
                conn.sendall(struct.pack("<i", len(frame)) + frame.upper())
        except (OSError, ValueError) as error:
            print(f"many-clients: {error}", file=sys.stderr)


def read_frame(conn):
    """The next frame; None when the peer has ended its side between two frames."""
    prefix = read_exactly(conn, 4)
    if not prefix:
        return None
    if len(prefix) < 4:
        raise ValueError(f"the stream ended inside a length: {len(prefix)} of 4 bytes came")
    (length,) = struct.unpack("<i", prefix)
    if not 0 <= length <= LIMIT:
        raise ValueError(f"expected a length from 0 to {LIMIT}, got {length}")
    body = read_exactly(conn, length)
    if len(body) < length:
        raise ValueError(f"the stream ended inside a frame: {len(body)} of {length} bytes came")
    return body


def read_exactly(conn, length):
    """This many bytes; fewer only if the stream ends first."""
    data = bytearray()
    while len(data) < length:
        piece = conn.recv(min(length - len(data), 1 << 16))
        if not piece:
            break
        data += piece
    return bytes(data)


if __name__ == "__main__":
    main()
