"""Wrong: it calls itself for each further frame in its buffer.

Python stops after about 1,000 nested calls. Thousands of tiny frames fit into one recv, and they end the server with a
RecursionError. The fix is a loop.

lab: byte-order, case: many-in-one-piece
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
    while piece := conn.recv(65536):
        received += piece
        answer(conn, received)
    if received:
        raise ValueError("the stream ended inside a frame")


def answer(conn, received):
    if len(received) < 4:
        return
    (length,) = struct.unpack_from(">i", received)
    if not 0 <= length <= LIMIT:
        raise ValueError(f"expected a length from 0 to {LIMIT}, got {length}")
    if len(received) < 4 + length:
        return
    frame = received[: 4 + length]
    del received[: 4 + length]
    conn.sendall(frame[:4] + frame[4:].upper())
    answer(conn, received)  # here: a nested call, for each frame


if __name__ == "__main__":
    main()
