"""Reads the station's reports, however the stream is cut."""
import socket
import struct
import sys


def exactly(conn, n):
    """Returns exactly n bytes, in however many pieces they come."""
    data = b""
    while len(data) < n:
        piece = conn.recv(n - len(data))
        if not piece:
            raise EOFError(f"the stream ended after {len(data)} of {n} bytes")
        data += piece
    return data


def report(conn):
    """The next report, or None at the end of the stream."""
    first = conn.recv(1)
    if not first:
        return None
    (length,) = struct.unpack("<i", first + exactly(conn, 3))
    return exactly(conn, length)


conn = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
while (text := report(conn)) is not None:
    print(text.decode())
