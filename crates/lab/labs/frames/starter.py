"""frames: answer each frame (a length, and that many bytes) with the same in capitals.

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
    # This sends back what each recv returns. Where does a frame begin, and where does it end?
    while data := conn.recv(1024):
        conn.sendall(data)


if __name__ == "__main__":
    main()
