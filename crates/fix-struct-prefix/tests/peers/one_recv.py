"""Reads the station's reports. On a quiet day."""
import socket
import struct
import sys

conn = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
while True:
    prefix = conn.recv(4)
    if not prefix:
        break
    (length,) = struct.unpack("<i", prefix)
    print(conn.recv(length).decode())
