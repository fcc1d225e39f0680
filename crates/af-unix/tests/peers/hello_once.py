"""A first server on a Unix socket. It starts once, and never again; with --unlink-first it always starts."""
import os
import socket
import sys

path = sys.argv[1]
if "--unlink-first" in sys.argv and os.path.exists(path):
    os.unlink(path)
listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
listener.bind(path)
listener.listen()
print("listening on", path, flush=True)
conn, _ = listener.accept()
print(conn.recv(1024).decode(), flush=True)
conn.sendall(b"hi")
conn.close()
listener.close()
