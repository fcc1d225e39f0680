"""Wrong: it closes the connection of a peer that has been silent for 2 s.

The peer has not ended its side, and may go on at any time. The fix is to wait for the end.

lab: unix, case: silence
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
                conn.settimeout(2)  # here: silence means nothing
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
