"""Wrong: at the end of the stream it closes at once, and the bytes it hasn't sent yet are lost.

A peer that has ended its side may still read. What is due to it has to be sent before the program closes. With a blocking sendall this comes by
itself; with a select loop it has to be written.

lab: echo, case: late-end
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
        while True:
            conn, _peer = listener.accept()
            with conn:
                serve(conn)


def serve(conn):
    conn.setblocking(False)
    due = bytearray()
    try:
        while True:
            ready, writable, _ = select.select([conn], [conn] if due else [], [])
            if ready:
                data = conn.recv(65536)
                if not data:
                    return  # here: what is in `due`?
                due += data
            if writable:
                del due[: conn.send(due)]
    except OSError:
        return


if __name__ == "__main__":
    main()
