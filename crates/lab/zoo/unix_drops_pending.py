"""Wrong: it closes the connection at the end of the peer's stream, though some bytes are not written yet.

Its sockets do not block, so what the peer has not read yet waits in a list. The peer's end says that it sends no more;
it may still read. The fix is to close when everything has been written.

lab: unix, case: late-end
"""

import os
import select
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
            conn.setblocking(False)
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
    pending = b""
    while True:
        can_read, can_write, _ = select.select([conn], [conn] if pending else [], [])
        if can_write:
            pending = pending[conn.send(pending) :]
        if can_read:
            data = conn.recv(16384)
            if not data:
                return  # here: and what about `pending`?
            pending += data


if __name__ == "__main__":
    sys.exit(main())
