"""Sends all its commands at once, each with its length in front, and prints the answers."""
import socket
import struct
import sys

conn = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
requests = [command.encode() for command in sys.argv[2:]]
conn.sendall(b"".join(struct.pack("<i", len(request)) + request for request in requests))
conn.shutdown(socket.SHUT_WR)
stream = conn.makefile("rb")
while prefix := stream.read(4):
    (length,) = struct.unpack("<i", prefix)
    print(stream.read(length))
