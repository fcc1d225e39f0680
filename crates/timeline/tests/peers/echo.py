"""An echo that keeps reading until the end of the stream."""
import socket
import sys

listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("listening on 127.0.0.1:%d" % listener.getsockname()[1], flush=True)
conn, _ = listener.accept()
while data := conn.recv(1024):
    conn.sendall(data)
conn.close()
