"""Wrong: it binds, and hopes that nothing is there.

A server that was killed leaves its file. Then bind says "address in use" forever, though nobody is listening, and no
SO_REUSEADDR helps. The fix is to find out whether somebody listens, and to remove the file if nobody does.

lab: unix, case: stale
"""

import os
import socket
import sys


def main():
    path = sys.argv[-1]
    try:
        listener = listen(path)
    except OSError as error:
        print(f"unix-no-unlink: cannot listen at {path}: {error}", file=sys.stderr)
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
                    print(f"unix-no-unlink: a peer left: {error}", file=sys.stderr)


def listen(path):
    # here: a file may have been left behind
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listener.bind(path)
    finally:
        os.umask(before)
    listener.listen()
    return listener


if __name__ == "__main__":
    sys.exit(main())
