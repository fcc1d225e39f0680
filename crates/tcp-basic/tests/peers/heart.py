"""A server that has nothing to say, and says once a second that it is alive."""
import socket
import sys
import time

listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("listening on 127.0.0.1:%d" % listener.getsockname()[1], flush=True)
conn, _ = listener.accept()
while True:
    conn.sendall(b"alive\n")
    time.sleep(1)
