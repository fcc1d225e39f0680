"""A line server: it answers each line in capitals."""
import socket
import sys

listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("listening on 127.0.0.1:%d" % listener.getsockname()[1], flush=True)
conn, _ = listener.accept()
while True:
    data = conn.recv(1024)
    if not data:
        break
    for message in data.splitlines():
        print("message:", message.decode(), flush=True)
        conn.sendall(message.upper() + b"\n")
