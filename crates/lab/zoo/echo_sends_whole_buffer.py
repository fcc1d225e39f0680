"""Wrong: it sends its whole buffer back, and not only the bytes that came into it.

recv_into returns how many bytes came. The rest of the buffer holds what was there before: zeros, or somebody's older bytes.

lab: echo, case: hello
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
    buffer = bytearray(64)
    while conn.recv_into(buffer):
        conn.sendall(buffer)  # here: recv_into says how many of them came


if __name__ == "__main__":
    main()
