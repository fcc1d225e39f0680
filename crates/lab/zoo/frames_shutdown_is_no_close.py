"""Wrong: it ends its connections with shutdown, and never closes them.

Each peer sees the end, as it should. But the descriptor stays open, and after a thousand peers there are no more. The
fix is close: it ends the connection, and gives the descriptor back.

lab: frames, case: many-peers
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
        keep = []
        while True:
            conn, peer = listener.accept()
            keep.append(conn)
            try:
                serve(conn)
                conn.shutdown(socket.SHUT_RDWR)  # here: it should be conn.close()
            except (OSError, ValueError) as error:
                print(f"{peer}: {error}", file=sys.stderr)
                keep.pop().close()


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
        piece = conn.recv(min(length - len(received), 65536))
        if not piece:
            break
        received += piece
    return received


if __name__ == "__main__":
    main()
