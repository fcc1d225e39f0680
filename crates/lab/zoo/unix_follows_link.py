"""Wrong: it asks what a symbolic link leads to, and then removes the link.

stat follows links, unlink does not: the link to a dead socket looks like a dead socket, and a link that somebody made
is gone. The fix is lstat.

lab: unix, case: symlink
"""

import os
import socket
import stat
import sys


def main():
    path = sys.argv[-1]
    try:
        listener = listen(path)
    except OSError as error:
        print(f"unix-follows-link: cannot listen at {path}: {error}", file=sys.stderr)
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
                    print(f"unix-follows-link: a peer left: {error}", file=sys.stderr)


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
    try:
        # here: for a link, it describes what the link leads to
        found = os.stat(path)
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise FileExistsError("something else than a socket stands there")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
        except OSError as error:
            raise FileExistsError(f"somebody's socket stands there: {error}") from error
        else:
            raise FileExistsError("another server listens there")


if __name__ == "__main__":
    sys.exit(main())
