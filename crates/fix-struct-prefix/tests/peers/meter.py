"""Prints the readings of one sender. A reading takes five bytes: a letter, and a number in four, little-endian."""
import socket
import struct
import sys

listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("listening on 127.0.0.1:%d" % listener.getsockname()[1], flush=True)
conn, _ = listener.accept()
stream = conn.makefile("rb")
while reading := stream.read(5):
    print(reading.hex(" "), " ", *struct.unpack("<ci", reading), flush=True)
