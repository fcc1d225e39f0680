"""Wrong: if the stream ends inside a length, it fills the length up with zeros.

The buffer has four bytes, all 0 at first, and nobody checks how many of them came. After three bytes of 0 the fourth
one is 0, too: an empty frame, it seems, and it is answered. The fix is to compare the number that came with four.

lab: frames, case: end-in-length
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
        prefix = bytes(prefix).ljust(4, b"\0")  # here: there may be fewer than four bytes
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
