"""Wrong: it has a time limit of 20 s while it reads a body.

A peer that has sent half a body may be as slow with the rest as it likes. Between two frames this program waits without
a limit, so if you try it by hand, you notice nothing.

lab: byte-order, case: silence-in-body
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
        (length,) = struct.unpack(">i", prefix)
        if not 0 <= length <= LIMIT:
            raise ValueError(f"expected a length from 0 to {LIMIT}, got {length}")
        conn.settimeout(20)  # here: silence is not the end
        more(conn, received, 4 + length)
        conn.settimeout(None)
        body = received[4 : 4 + length]
        del received[: 4 + length]
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
