"""Receives files into a folder: name, size and checksum first; after a cut, the rest.

    python3 server.py 127.0.0.1:8888 received
    python3 client.py 127.0.0.1:8888 photo.jpg          (in a second terminal)

It serves one client after another.
"""
import contextlib
import fcntl
import hashlib
import json
import os
import socket
import stat
import struct
import sys
import time

MAX_HEADER = 4096
MAX_SIZE = 1 << 30


def main():
    host, _, port = sys.argv[1].rpartition(":")
    folder = sys.argv[2]
    os.makedirs(folder, exist_ok=True)
    try:
        fcntl.flock(os.open(folder, os.O_RDONLY), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(f"server.py: another server has {folder}")
    listener = socket.create_server((host, int(port)))
    print("listening on %s:%d" % listener.getsockname(), flush=True)
    while True:
        conn, _ = listener.accept()
        conn.settimeout(30)
        with conn:
            try:
                while header := receive_header(conn):
                    receive_file(conn, folder, header)
            except (OSError, EOFError, ValueError, RecursionError) as error:
                refuse(conn, error)
                print("server.py:", error, file=sys.stderr, flush=True)


def refuse(conn, error):
    """Says why, if the client is still there, and reads on for a second in all: to close with bytes
    unread would reset the connection, and could destroy the answer."""
    deadline = time.monotonic() + 1
    with contextlib.suppress(OSError):
        send_header(conn, {"error": str(error)[:300]})
        conn.shutdown(socket.SHUT_WR)
        while (left := deadline - time.monotonic()) > 0:
            conn.settimeout(left)
            if not conn.recv(65536):
                break


# ANCHOR: receive
def exactly(conn, n):
    data = bytearray()
    while len(data) < n:
        piece = conn.recv(n - len(data))
        if not piece:
            break
        data += piece
    return bytes(data)


def receive_header(conn):
    prefix = exactly(conn, 4)
    if not prefix:
        return None  # the stream ended between two files
    if len(prefix) < 4:
        raise EOFError(f"{len(prefix)} of 4 bytes of a header's length came")
    (length,) = struct.unpack("<i", prefix)
    if not 1 <= length <= MAX_HEADER:
        raise ValueError(f"expected a header's length from 1 to {MAX_HEADER}, got {prefix!r}")
    header = exactly(conn, length)
    if len(header) < length:
        raise EOFError(f"{len(header)} of {length} bytes of a header came")
    header = json.loads(header.decode(), object_pairs_hook=no_key_twice)
    if type(header) is not dict or not isinstance(header.get("name"), str):
        raise ValueError("expected a header with a name")
    if type(header.get("size")) is not int or not 0 <= header["size"] <= MAX_SIZE:
        raise ValueError(f"expected a size from 0 to {MAX_SIZE}")
    return header


def send_header(conn, header):
    text = json.dumps(header).encode()
    conn.sendall(struct.pack("<i", len(text)) + text)


def receive_file(conn, folder, header):
    name, size = header["name"], header["size"]
    check_name(name)
    whole = os.path.join(folder, name)
    if os.path.lexists(whole):
        raise ValueError(f"there is a file called {name!r}")
    with open(whole + ".part", "a+b", opener=open_regular) as file:  # what came the last time stays
        if file.tell() > size:
            file.truncate(0)  # that can't be its beginning
        offset = file.seek(0, os.SEEK_END)
        send_header(conn, {"offset": offset})
        while offset < size:
            data = conn.recv(min(size - offset, 65536))  # not a byte of what follows the file
            if not data:
                raise EOFError(f"{name}: {offset} of {size} bytes came, and are kept")
            file.write(data)
            offset += len(data)
        checksum = hashlib.sha256()
        file.seek(0)
        while data := file.read(65536):
            checksum.update(data)
    if checksum.hexdigest() != header.get("sha256"):
        os.remove(whole + ".part")
        raise ValueError("the checksum is another one: what came is deleted, send it again")
    os.link(whole + ".part", whole)  # fails if NAME was made meanwhile; os.rename would replace it
    os.remove(whole + ".part")
    send_header(conn, {"done": True})
    print(f"{name}: {size} bytes, whole", flush=True)


def check_name(name):
    """A name that a stranger chose must not lead out of the folder."""
    if not name or len(name.encode()) > 200 or name.startswith(".") or name.endswith(".part"):
        raise ValueError(f"not a good name: {name!r}")
    if any(c in "/\\:" or not c.isprintable() for c in name):
        raise ValueError(f"not a good name: {name!r}")
# ANCHOR_END: receive


def open_regular(path, flags):
    """No link, which leads out of the folder, and no pipe, at which the server would wait."""
    fd = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise ValueError("what has its place isn't a regular file")
    return fd


def no_key_twice(pairs):
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a key comes twice in the header")
    return dict(pairs)


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        sys.exit(f"server.py: {error}")
