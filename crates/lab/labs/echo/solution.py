"""echo: send back every byte until the peer's end of stream, then end.

Check it:  scripts/lab.sh check DIR
The address comes as the last argument, for example 127.0.0.1:9000.
"""

import socket
import sys


def main():
    host, port = sys.argv[-1].rsplit(":", 1)
    with socket.create_server((host, int(port))) as listener:
        print(f"listening on {host}:{port}", flush=True)
        conn, _peer = listener.accept()
        with conn:
            # recv returns what has arrived: one byte, or many messages. Only b"" means that the peer has sent
            # everything.
            while data := conn.recv(16384):
                conn.sendall(data)


if __name__ == "__main__":
    main()
