"""Wrong: it doesn't expect a peer to leave, and one BrokenPipeError ends the server for everybody.

sendall raises BrokenPipeError (EPIPE) when the peer has gone, and ConnectionResetError when it broke the connection. Both are the end of this
connection, and of no other.

lab: echo, case: peer-leaves
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
                serve(conn)


def serve(conn):
    try:
        while data := conn.recv(16384):
            conn.sendall(data)
    except ConnectionResetError:  # here: BrokenPipeError is a different one; OSError covers both
        pass


if __name__ == "__main__":
    main()
