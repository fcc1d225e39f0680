"""Wrong: it leaves the connection open when its peer has broken it, and after a thousand such peers it can't open
anything any more.

What is opened has to be closed on every path, the error path included. `with` does that. (Python closes a socket that
nobody knows any more; here a list knows it.)

lab: echo, case: many-peers
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
        served = []
        while True:
            conn, _peer = listener.accept()
            served.append(conn)
            try:
                serve(conn)
                conn.close()
            except OSError as error:
                print(f"this connection is over: {error}", file=sys.stderr)  # here: and still open


def serve(conn):
    while data := conn.recv(16384):
        conn.sendall(data)


if __name__ == "__main__":
    main()
