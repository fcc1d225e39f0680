"""Wrong: it takes any error from connect to mean "nobody is there".

connect also fails when a socket of another kind is there (EPROTOTYPE), or one that we may not open (EACCES): somebody
has it open. The fix is that only ECONNREFUSED says that nobody listens.

lab: unix, case: other-kind
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
        print(f"unix-any-refusal: cannot listen at {path}: {error}", file=sys.stderr)
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
                    print(f"unix-any-refusal: a peer left: {error}", file=sys.stderr)


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
        probe.settimeout(1)
        try:
            probe.connect(path)
        except OSError:
            # here: only one error says that nobody listens
            os.unlink(path)
        else:
            raise FileExistsError("another server listens there")


if __name__ == "__main__":
    sys.exit(main())
