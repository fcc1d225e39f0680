"""The first server of many courses: one recv, one answer, close. Can you find two mistakes?"""
import socket
import sys

listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("listening on 127.0.0.1:%d" % listener.getsockname()[1], flush=True)
conn, peer = listener.accept()
message = conn.recv(1024)
print(message.decode(), flush=True)
conn.sendall(b"hi")
conn.close()
listener.close()
