"""A line server that keeps what has no line feed yet: it answers each line in capitals."""
import socket
import sys

listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("listening on 127.0.0.1:%d" % listener.getsockname()[1], flush=True)
conn, _ = listener.accept()
# ANCHOR: loop
buffer = b""
while True:
    data = conn.recv(1024)
    if not data:
        break
    buffer += data
    while b"\n" in buffer:
        message, buffer = buffer.split(b"\n", 1)
        print("message:", message.decode(), flush=True)
        conn.sendall(message.upper() + b"\n")
# ANCHOR_END: loop
