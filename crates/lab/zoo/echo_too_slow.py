"""Wrong: it needs a millisecond for every five bytes.

Nothing is lost, and for a few bytes nobody notices. One byte per call is slow, too, and still fast enough; a sleep in a loop is
not.

lab: echo, case: both-ways
"""

import ipaddress
import socket
import sys
import time


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
    while data := conn.recv(5):
        conn.sendall(data)
        time.sleep(0.001)  # here: 5,000 bytes a second


if __name__ == "__main__":
    main()
