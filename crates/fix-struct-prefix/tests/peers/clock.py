"""Asks fifty times, and prints how long an answer takes."""
import socket
import struct
import sys
import time

conn = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
stream = conn.makefile("rb")
start = time.monotonic()
for _ in range(50):
    conn.sendall(b"?")
    (length,) = struct.unpack("<i", stream.read(4))
    stream.read(length)
print(f"{(time.monotonic() - start) / 50 * 1000:.2f} ms an answer")
