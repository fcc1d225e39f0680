"""unix: an echo server on a Unix socket, which takes the file's name from nobody.

Check it:  scripts/lab.sh check DIR
The path comes as the last argument, for example /run/user/1000/echo.sock.
"""

import socket
import sys


def main():
    path = sys.argv[-1]
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        # bind makes the file. What if something stands there already, and who may connect?
        listener.bind(path)
        listener.listen()
        print(f"listening on {path}", flush=True)
        conn, _peer = listener.accept()
        with conn:
            # This sends back what came, once. What of the rest, and of the next peer?
            conn.sendall(conn.recv(16))


if __name__ == "__main__":
    main()
