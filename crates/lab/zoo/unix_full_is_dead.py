"""Wrong: it believes that a server whose accept queue is full is dead.

A connect that must not block fails with EAGAIN then. Somebody listens all the same, and has more peers than time. The
fix is that only ECONNREFUSED says that nobody is there.

lab: unix, case: full-queue
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
        print(f"unix: cannot listen at {path}: {error}", file=sys.stderr)
        return 3
    with listener:
        print(f"listening on {path}", flush=True)
        while True:
            conn, _peer = listener.accept()
            with conn:
                try:
                    echo(conn)
                except OSError as error:
                    print(f"unix: a peer left: {error}", file=sys.stderr)


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
        found = os.lstat(path)
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise FileExistsError("something else than a socket stands there")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(path)
        except (ConnectionRefusedError, BlockingIOError):  # here: EAGAIN is not a refusal
            os.unlink(path)
        except OSError as error:
            raise FileExistsError(f"somebody has this socket open: {error}") from error
        else:
            raise FileExistsError("somebody has this socket open")


def echo(conn):
    while data := conn.recv(16384):
        conn.sendall(data)


if __name__ == "__main__":
    sys.exit(main())
