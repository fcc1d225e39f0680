"""frames: answer each frame (a length, and that many bytes) with the same in capitals.

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
            conn, peer = listener.accept()
            # What goes wrong with one peer, a reset or nonsense, ends that peer and nothing else.
            try:
                with conn:
                    serve(conn)
            except (OSError, ValueError) as error:
                print(f"{peer}: {error}", file=sys.stderr)


def serve(conn):
    """One peer, until its end of stream."""
    while prefix := receive(conn, 4):
        if len(prefix) < 4:
            raise ValueError("the stream ended inside a length")
        (length,) = struct.unpack("<i", prefix)
        # Before anything is read or allocated for it: a stream that has lost its place can't find it again.
        if not 0 <= length <= LIMIT:
            raise ValueError(f"expected a length from 0 to {LIMIT}, got {length}")
        body = receive(conn, length)
        if len(body) < length:
            raise ValueError(f"the stream ended after {len(body)} of {length} bytes")
        # upper() of bytes changes a to z and nothing else. One sendall for both: two would stall (Nagle's algorithm).
        conn.sendall(prefix + body.upper())


def receive(conn, length):
    """That many bytes. Fewer only if the stream ends first, and then all there are."""
    received = bytearray()
    while len(received) < length:
        piece = conn.recv(min(length - len(received), 65536))
        if not piece:
            break
        received += piece
    return received


if __name__ == "__main__":
    main()
