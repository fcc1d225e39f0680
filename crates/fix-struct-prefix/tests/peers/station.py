"""A weather station: it sends two reports, each with its length in front, and closes."""
import socket
import struct
import sys

listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("listening on 127.0.0.1:%d" % listener.getsockname()[1], flush=True)
while True:
    conn, _ = listener.accept()
    for report in [b"wind 7", b"rain"]:
        conn.sendall(struct.pack("<i", len(report)) + report)
    conn.close()
