"""unix: an echo server on a Unix socket that replaces a dead server's file, and never anything else.

Check it:  scripts/lab.sh check DIR
The path comes as the last argument, for example /run/user/1000/echo.sock.
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
                    # It left before it had read everything. That's no reason to stop.
                    print(f"unix: a peer left: {error}", file=sys.stderr)


def listen(path):
    remove_stale(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # The file has the mode that the umask leaves from the moment it exists: a chmod would come later.
    before = os.umask(0o177)
    try:
        listener.bind(path)
    finally:
        os.umask(before)
    listener.listen()
    return listener


def remove_stale(path):
    """Remove a socket that nobody listens on, and nothing else."""
    try:
        # Not stat: that would describe the target of a symbolic link.
        found = os.lstat(path)
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise FileExistsError("something else than a socket stands there")
    # A datagram socket can ask, whatever is there, and never waits, as a stream would if the accept queue is full. A
    # live stream server is the wrong kind (EPROTOTYPE), and doesn't notice.
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
