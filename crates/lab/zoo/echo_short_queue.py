"""Wrong: it keeps 16 KiB for a peer that doesn't read, and throws away the rest.

A program that cannot keep any more stops reading: then the peer cannot send any more, and nothing is lost. That is what the flow control of TCP is
for.

lab: echo, case: reads-later
"""

import ipaddress
import select
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
    conn.setblocking(False)
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2048)
    due, ended = bytearray(), False
    while due or not ended:
        reads = [] if ended else [conn]
        ready, writable, _ = select.select(reads, [conn] if due else [], [])
        if ready:
            data = conn.recv(65536)
            ended = not data
            due += data[: 16384 - len(due)]  # here: the rest of it is gone
        if writable:
            del due[: conn.send(due[:1024])]


if __name__ == "__main__":
    main()
