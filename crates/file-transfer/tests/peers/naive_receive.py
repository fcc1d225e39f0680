"""Wrong: takes one recv for the name, and the rest of the stream for the file."""
import os
import socket
import sys

listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("listening on 127.0.0.1:%d" % listener.getsockname()[1], flush=True)
input("press Enter to receive")
conn, _ = listener.accept()
os.mkdir("inbox")
name = conn.recv(1024).decode()
with open("inbox/" + name, "wb") as file:
    while data := conn.recv(1024):
        file.write(data)
