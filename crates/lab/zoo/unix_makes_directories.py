"""Wrong: it creates the directory of the path if there is none.

One wrong letter in the path, and a server listens in a place where nobody looks for it, in a directory with the mode
that the umask leaves. The fix is the error of bind.

lab: unix, case: no-directory
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
    os.makedirs(os.path.dirname(path), exist_ok=True)  # here: nobody asked for that
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
            raise FileExistsError(f"somebody has this socket open: {error}") from error
        else:
            raise FileExistsError("somebody has this socket open")


def echo(conn):
    while data := conn.recv(16384):
        conn.sendall(data)


if __name__ == "__main__":
    sys.exit(main())
