"""Prints what the server says, and gives up when it has said nothing for too long."""
import socket
import sys

conn = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
if len(sys.argv) > 2:
    conn.settimeout(float(sys.argv[2]))
try:
    while data := conn.recv(1024):
        print(data, flush=True)
    print("the end of the stream")
except socket.timeout:
    print("nothing for", sys.argv[2], "seconds: I give up")
