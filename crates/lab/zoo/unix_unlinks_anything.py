"""Wrong: it removes whatever is at the path.

The common recipe, "unlink before bind", deletes a file that somebody mistyped, and takes the name away from a server
that is still running. The fix is to remove a socket that nobody listens on, and nothing else.

lab: unix, case: file
"""

import os
import socket
import sys


def main():
    path = sys.argv[-1]
    try:
        listener = listen(path)
    except OSError as error:
        print(f"unix-unlinks-anything: cannot listen at {path}: {error}", file=sys.stderr)
        return 3
    with listener:
        print(f"listening on {path}", flush=True)
        while True:
            conn, _peer = listener.accept()
            with conn:
                try:
                    while data := conn.recv(16384):
                        conn.sendall(data)
                except OSError as error:
                    print(f"unix-unlinks-anything: a peer left: {error}", file=sys.stderr)


def listen(path):
    remove_stale(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listener.bind(path)
    finally:
        os.umask(before)
    listener.listen()
    return listener


def remove_stale(path):
    # here: whatever it is, and whoever owns it
    if os.path.lexists(path):
        os.unlink(path)


if __name__ == "__main__":
    sys.exit(main())
