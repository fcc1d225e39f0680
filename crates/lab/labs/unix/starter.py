"""unix: an echo server on a Unix socket that replaces a dead server's file, and never anything else.

Check it:  scripts/lab.sh check DIR
The path comes as the last argument, for example /run/user/1000/echo.sock.
"""

import socket
import sys


def main():
    path = sys.argv[-1]
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        # bind creates the file. What if something is already there? And who may connect?
        listener.bind(path)
        listener.listen()
        print(f"listening on {path}", flush=True)
        conn, _peer = listener.accept()
        with conn:
            # This sends back what came, once. What about the rest, and the next peer?
            conn.sendall(conn.recv(16))


if __name__ == "__main__":
    main()
