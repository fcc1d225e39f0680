"""Wrong: it doesn't answer until everything that has come is complete.

It collects pieces, and checks whether the last frame in them is complete. Once another one has begun, the answers to
those before it wait, and so does the peer. The fix is to answer each frame as soon as it is complete.

lab: frames, case: across-segments
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
        answers, at = bytearray(), 0
        while at + 4 <= len(received):
            (length,) = struct.unpack_from("<i", received, at)
            if not 0 <= length <= LIMIT:
                raise ValueError(f"expected a length from 0 to {LIMIT}, got {length}")
            at += 4 + length
            if at <= len(received):
                answers += received[at - length - 4 : at - length] + received[at - length : at].upper()
        if at == len(received):  # here: complete frames wait for an incomplete one
            conn.sendall(answers)
            received.clear()


if __name__ == "__main__":
    main()
