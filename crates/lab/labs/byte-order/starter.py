"""byte-order: answer each frame with the same in capitals; lengths are in network byte order.

Check it:  scripts/lab.sh check DIR
The address comes as the last argument, for example 127.0.0.1:9000.
"""

import socket
import sys


def main():
    host, port = sys.argv[-1].rsplit(":", 1)
    with socket.create_server((host, int(port))) as listener:
        print(f"listening on {host}:{port}", flush=True)
        while True:
            conn, _peer = listener.accept()
            with conn:
                serve(conn)


def serve(conn):
    """One peer, until its end of stream."""
    # This sends back what each recv returns. Put your code from the frames lab here. What has to change in it, and
    # where?
    while data := conn.recv(1024):
        conn.sendall(data)


if __name__ == "__main__":
    main()
