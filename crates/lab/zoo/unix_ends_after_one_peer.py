"""Wrong: it serves one peer, and ends.

So the lab echo allows it, and from there the function comes. The fix is a loop around accept.

lab: unix, case: next-peer
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
        print(f"unix-ends-after-one-peer: cannot listen at {path}: {error}", file=sys.stderr)
        return 3
    with listener:
        print(f"listening on {path}", flush=True)
        conn, _peer = listener.accept()  # here: only once
        with conn:
            try:
                echo(conn)
            except OSError as error:
                print(f"unix-ends-after-one-peer: a peer left: {error}", file=sys.stderr)
    return 0


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
