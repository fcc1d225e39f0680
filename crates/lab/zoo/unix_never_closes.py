"""Wrong: it keeps the connections of all its peers in a list, and never closes them.

The stream to a peer ends when the last descriptor of it is closed. As long as the list holds one, the peer waits for
the end, and one day there are no descriptors left. The fix is `with conn`.

lab: unix, case: first
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
        print(f"unix-never-closes: cannot listen at {path}: {error}", file=sys.stderr)
        return 3
    with listener:
        print(f"listening on {path}", flush=True)
        peers = []
        while True:
            conn, _peer = listener.accept()
            peers.append(conn)
            try:
                echo(conn)  # here: and who closes it?
            except OSError as error:
                print(f"unix-never-closes: a peer left: {error}", file=sys.stderr)


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
