"""Wrong: it gives each peer 256 KiB, and then closes.

A stream has no size. A limit belongs to a message, and here there are none.

lab: echo, case: both-ways
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
    came = 0
    while came < 256 << 10:  # here: and the bytes after them?
        data = conn.recv(16384)
        if not data:
            return
        conn.sendall(data)
        came += len(data)


if __name__ == "__main__":
    main()
