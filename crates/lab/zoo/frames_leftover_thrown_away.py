"""Wrong: it throws away whatever came after the frame.

It collects pieces until a frame is complete, and answers it. That works wherever the stream is cut inside a frame. But
the piece that ended this frame may hold the beginning of the next one, or three more. Those bytes are gone. The fix is
to keep them for the next frame.

lab: frames, case: pipelined
"""

import ipaddress
import socket
import struct
import sys

LIMIT = 16 << 20


def main():
    host, port = sys.argv[-1].rsplit(":", 1)
    if not ipaddress.ip_address(host).is_loopback:
        sys.exit("loopback only")
    with socket.create_server((host, int(port))) as listener:
        print(f"listening on {host}:{port}", flush=True)
        while True:
            conn, peer = listener.accept()
            try:
                with conn:
                    serve(conn)
            except (OSError, ValueError) as error:
                print(f"{peer}: {error}", file=sys.stderr)


def serve(conn):
    received = bytearray()
    while more(conn, received, 4):
        prefix = bytes(received[:4])
        (length,) = struct.unpack("<i", prefix)
        if not 0 <= length <= LIMIT:
            raise ValueError(f"expected a length from 0 to {LIMIT}, got {length}")
        more(conn, received, 4 + length)
        body = received[4 : 4 + length]
        received.clear()  # here: it should be del received[: 4 + length]
        conn.sendall(prefix + body.upper())


def more(conn, received, length):
    """Collects this many bytes; False if the stream ends before a frame."""
    while len(received) < length:
        piece = conn.recv(65536)
        if not piece and received:
            raise ValueError("the stream ended inside a frame")
        if not piece:
            return False
        received += piece
    return True


if __name__ == "__main__":
    main()
