"""many-clients: send frames back in capitals, to 200 clients at once, none of which waits for another.

Check it:  scripts/lab.sh check DIR
The address comes as the last argument, for example 127.0.0.1:9000.
"""

import socket
import struct
import sys

LIMIT = 16 << 20


def main():
    host, port = sys.argv[-1].rsplit(":", 1)
    with socket.create_server((host, int(port))) as listener:
        print(f"listening on {host}:{port}", flush=True)
        while True:
            # This serves one client to its end, and then accepts the next. What do the others do in the meantime?
            conn, _peer = listener.accept()
            serve(conn)


def serve(conn):
    """One client, from its first frame to its end. `with` closes the connection, however this ends."""
    with conn:
        try:
            while (frame := read_frame(conn)) is not None:
                conn.sendall(struct.pack("<i", len(frame)) + frame.upper())
        except (OSError, ValueError) as error:
            # A reset, or a broken frame: that's the end of this client, and of nobody else.
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
    """That many bytes; fewer only if the stream ends first."""
    data = bytearray()
    while len(data) < length:
        piece = conn.recv(min(length - len(data), 1 << 16))
        if not piece:
            break
        data += piece
    return bytes(data)


if __name__ == "__main__":
    main()
