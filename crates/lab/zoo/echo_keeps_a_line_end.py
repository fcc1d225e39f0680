"""Wrong: it holds back a line end until it knows that something follows, so that it can strip the last one.

Somebody tested it with netcat, and did not like the empty line at the end. A line end is a byte like any other: the peer sent it
and waits for it.

lab: echo, case: half-close
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
    kept = b""
    try:
        while data := conn.recv(65536):
            data = kept + data
            rest = data.removesuffix(b"\n")  # here: these are bytes, and the last one is no different
            kept = data[len(rest) :]
            conn.sendall(rest)
    except OSError as error:
        print(error, file=sys.stderr)


if __name__ == "__main__":
    main()
