"""Sends each command, and prints the header of its answer, then the answer. Twelve lines that believe everything."""
import json
import socket
import struct
import sys

conn = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
stream = conn.makefile("rb")
for command in sys.argv[2:]:
    request = command.encode()
    conn.sendall(struct.pack("<i", len(request)) + request)
    (header_len,) = struct.unpack("<i", stream.read(4))
    header = stream.read(header_len)
    print(header.decode())
    print(stream.read(json.loads(header)["data_len"]).decode(), end="")
