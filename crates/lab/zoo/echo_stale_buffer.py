"""Wrong: it believes that whatever isn't zero in its buffer has just come, so the tail of a longer piece comes back
again.

As long as the pieces are of one size, or grow, nobody sees it. recv_into returns how many bytes came.

lab: echo, case: cut-at-random
"""

import ipaddress
import socket
import sys


def main():
    host, port = sys.argv[-1].rsplit(":", 1)
    if not ipaddress.ip_address(host).is_loopback:
        sys.exit("loopback only")
    with socket.create_server((host, int(port))) as listener:
        print(f"listening on {host}:{port}", flush=True)
        conn, _peer = listener.accept()
        with conn:
            serve(conn)


def serve(conn):
    buffer = bytearray(65536)
    while conn.recv_into(buffer):
        conn.sendall(buffer.rstrip(b"\0"))  # here: the tail of an earlier piece is not zero


if __name__ == "__main__":
    main()
