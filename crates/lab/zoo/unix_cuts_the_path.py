"""Wrong: it cuts a path that is too long, as strncpy does.

So it listens under a name that nobody asked for, and says that all is well. The fix is an error, and Python has one if
it is given the path as it is.

lab: unix, case: too-long
"""

import os
import socket
import stat
import sys

LONGEST = 107 if sys.platform == "linux" else 103


def main():
    path = sys.argv[-1]
    try:
        listener = listen(path)
    except OSError as error:
        print(f"unix-cuts-the-path: cannot listen at {path}: {error}", file=sys.stderr)
        return 3
    with listener:
        print(f"listening on {path}", flush=True)
        while True:
            conn, _peer = listener.accept()
            with conn:
                try:
                    echo(conn)
                except OSError as error:
                    print(f"unix-cuts-the-path: a peer left: {error}", file=sys.stderr)


def listen(path):
    path = os.fsencode(path)[:LONGEST]  # here: then it is another path
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
        found = os.lstat(path)
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


def echo(conn):
    while data := conn.recv(16384):
        conn.sendall(data)


if __name__ == "__main__":
    sys.exit(main())
