"""Wrong: it treats 15 s of silence as the end.

A peer may think for as long as it likes, and a network may be slow. Only recv's 0 bytes are an end. Where a server wants to get rid of
silent peers, the protocol has to say after how long.

lab: echo, case: silence
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
        while True:
            conn, _peer = listener.accept()
            with conn:
                try:
                    serve(conn)
                except OSError as error:
                    print(f"this connection is over: {error}", file=sys.stderr)


def serve(conn):
    conn.settimeout(15)  # here: who says that silence means anything?
    while data := conn.recv(16384):
        conn.sendall(data)


if __name__ == "__main__":
    main()
