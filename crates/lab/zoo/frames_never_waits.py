"""Wrong: its recv never waits, so it asks again at once.

MSG_DONTWAIT makes recv return at once. While the peer is silent, the loop goes round as fast as the processor can. The
fix is a recv that waits.

lab: frames, case: silence
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
    while prefix := receive(conn, 4):
        if len(prefix) < 4:
            raise ValueError("the stream ended inside a length")
        (length,) = struct.unpack("<i", prefix)
        if not 0 <= length <= LIMIT:
            raise ValueError(f"expected a length from 0 to {LIMIT}, got {length}")
        body = receive(conn, length)
        if len(body) < length:
            raise ValueError("the stream ended inside a body")
        conn.sendall(prefix + body.upper())


def receive(conn, length):
    received = bytearray()
    while len(received) < length:
        try:
            piece = conn.recv(min(length - len(received), 65536), socket.MSG_DONTWAIT)
        except BlockingIOError:
            continue  # here: it never waits
        if not piece:
            break
        received += piece
    return received


if __name__ == "__main__":
    main()
