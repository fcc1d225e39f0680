"""Wrong: it treats the end of its peer's stream as an error, and ends with exit code 1.

An end of stream that the peer wanted is the normal end. A script that calls this program would report a failure each time.

lab: echo, case: goes-on-or-ends
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
    while True:
        data = conn.recv(16384)
        if not data:
            sys.exit("the peer has gone")  # here: this peer is done, but others may come
        conn.sendall(data)


if __name__ == "__main__":
    main()
