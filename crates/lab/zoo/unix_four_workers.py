"""Wrong: it has four workers, and each one ends with the first peer that breaks its connection.

Python prints the error of a thread, and carries on without it. After four such peers, there's no worker left to accept.
The fix is to handle the errors of a connection inside the loop.

lab: unix, case: many-leave
"""

import os
import socket
import stat
import sys
import threading


def main():
    path = sys.argv[-1]
    try:
        listener = listen(path)
    except OSError as error:
        print(f"unix: cannot listen at {path}: {error}", file=sys.stderr)
        return 3
    with listener:
        print(f"listening on {path}", flush=True)
        workers = [threading.Thread(target=work, args=[listener]) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()


def work(listener):
    while True:
        conn, _peer = listener.accept()
        with conn:
            echo(conn)  # here: an error ends the loop, and the worker


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
