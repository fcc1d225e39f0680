"""A chat client: sends what you type, and shows what the others say.

    python3 client.py 127.0.0.1:8888 ann
"""
import os
import socket
import sys
import threading
import time


def main():
    host, _, port = sys.argv[1].rpartition(":")
    conn = socket.create_connection((host.strip("[]"), int(port)))
    conn.sendall(sys.argv[2].encode() + b"\n")
    threading.Thread(target=send_lines, args=(conn,), daemon=True).start()
    # ANCHOR: show
    # A file over the socket: its readline keeps what follows the line feed for the next time.
    for line in conn.makefile("r", encoding="utf-8", errors="replace", newline="\n"):
        # Only what a terminal shows, no control characters.
        print("".join(c if c.isprintable() else "?" for c in line.rstrip("\n")), flush=True)
    # ANCHOR_END: show


def send_lines(conn):
    try:
        for line in sys.stdin:
            conn.sendall(line.encode())
        conn.shutdown(socket.SHUT_WR)  # we leave; what is still on its way is read
    except OSError:
        return  # the other thread says why
    time.sleep(30)
    print("client.py: we left, and the server doesn't close", file=sys.stderr, flush=True)
    os._exit(6)


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        print("client.py:", error, file=sys.stderr, flush=True)
        os._exit(1)
