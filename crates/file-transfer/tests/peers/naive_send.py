"""Wrong: sends a file's name, and then its bytes."""
import socket
import sys

conn = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
name = sys.argv[2]
conn.sendall(name.encode())
with open(name, "rb") as file:
    conn.sendall(file.read())
