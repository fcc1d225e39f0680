"""Sends files: of each one first name, size and checksum, then the bytes that the server hasn't got yet.

    python3 client.py 127.0.0.1:8888 photo.jpg
"""
import hashlib
import json
import os
import socket
import struct
import sys


def main():
    host, _, port = sys.argv[1].rpartition(":")
    for path in sys.argv[2:]:
        if not os.path.isfile(path):
            raise ValueError(f"{path!r}: expected a regular file")
    with socket.create_connection((host, int(port)), timeout=30) as conn:
        for path in sys.argv[2:]:
            with open(path, "rb") as file:
                send_file(conn, file, os.path.basename(path))
        conn.shutdown(socket.SHUT_WR)
        if more := conn.recv(64):
            raise ValueError(f"expected nothing after the last answer, got {more!r}")


# ANCHOR: send
def send_file(conn, file, name):
    checksum, size = hashlib.sha256(), 0
    while data := file.read(65536):
        checksum.update(data)
        size += len(data)
    send_header(conn, {"name": name, "size": size, "sha256": checksum.hexdigest()})
    offset = receive_reply(conn).get("offset")
    if type(offset) is not int or not 0 <= offset <= size:
        raise ValueError("expected an offset within the file")
    file.seek(offset)
    while data := file.read(65536):
        conn.sendall(data)
    if receive_reply(conn).get("done") is not True:
        raise ValueError("the server doesn't say that the file is done")
    print(f"{name}: sent {size - offset} of {size} bytes")
# ANCHOR_END: send


def send_header(conn, header):
    text = json.dumps(header).encode()
    conn.sendall(struct.pack("<i", len(text)) + text)


def receive_reply(conn):
    (length,) = struct.unpack("<i", exactly(conn, 4))
    if not 1 <= length <= 4096:
        raise ValueError(f"expected a header's length, got {length}")
    reply = json.loads(exactly(conn, length).decode())
    if type(reply) is not dict:
        raise ValueError("expected an object in JSON")
    if "error" in reply:
        raise ValueError(f"the server says: {reply['error']!r}")
    return reply


def exactly(conn, n):
    data = bytearray()
    while len(data) < n:
        piece = conn.recv(n - len(data))
        if not piece:
            raise EOFError("the server closed before it had the file")
        data += piece
    return bytes(data)


if __name__ == "__main__":
    try:
        main()
    except (OSError, EOFError, ValueError, RecursionError) as error:
        sys.exit(f"client.py: {error}")
