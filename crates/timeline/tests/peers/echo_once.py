"""An echo that treats whatever one recv returns as the whole message."""
import socket
import sys

listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("listening on 127.0.0.1:%d" % listener.getsockname()[1], flush=True)
conn, _ = listener.accept()
conn.sendall(conn.recv(1024))
conn.close()
