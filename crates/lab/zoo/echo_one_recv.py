"""Wrong: it believes that one recv returns the whole message.

With a peer that sends in one call, over loopback, it is right nearly always. A network may cut the message anywhere:
then the first piece comes back, and the rest is lost. The fix is a loop that ends when recv returns b"".

lab: echo, case: cut-everywhere
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
    data = conn.recv(65536)  # here: the first piece is not the message
    conn.sendall(data)


if __name__ == "__main__":
    main()
