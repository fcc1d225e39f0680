"""Wrong: it calls send, which takes only what fits into the kernel's buffer, and not sendall.

send returns how many bytes it took. While the peer reads fast it takes all of them; with a slow reader the buffer is full, it
takes a part or nothing, and the rest is gone. A blocking socket hides the mistake on Linux, where send waits until all is
taken; this one does not block, as the sockets of a select loop should not.

lab: echo, case: slow-reader
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
    while True:
        select.select([conn], [], [])
        data = conn.recv(65536)
        if not data:
            return
        try:
            conn.send(data)  # here: it returns how many of them it took
        except BlockingIOError:
            select.select([], [conn], [])


if __name__ == "__main__":
    main()
