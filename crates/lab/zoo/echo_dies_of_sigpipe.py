"""Wrong: a write to a peer that is gone kills the whole process with the signal SIGPIPE, without a word.

That is what Unix does unless a program ignores the signal; then the write fails with EPIPE. Python and Rust ignore it from the start, C does
not. This program asks for the default, as a shell pipeline wants it.

lab: echo, case: peer-leaves
"""

import ipaddress
import signal
import socket
import sys


def main():
    host, port = sys.argv[-1].rsplit(":", 1)
    if not ipaddress.ip_address(host).is_loopback:
        sys.exit("loopback only")
    with socket.create_server((host, int(port))) as listener:
        print(f"listening on {host}:{port}", flush=True)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # here: C programs begin like this
        while True:
            conn, _peer = listener.accept()
            with conn:
                try:
                    serve(conn)
                except OSError as error:
                    print(f"this connection is over: {error}", file=sys.stderr)


def serve(conn):
    while data := conn.recv(16384):
        conn.sendall(data)


if __name__ == "__main__":
    main()
