"""Sends two readings, each a letter and a number, packed in the format that it is given: 'ci' or '<ci'."""
import socket
import struct
import sys

conn = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
for letter, number in [(b"t", 21), (b"h", 40)]:
    conn.sendall(struct.pack(sys.argv[2], letter, number))
