"""An order desk: it answers each order with ok."""
import socket
import sys

listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("listening on 127.0.0.1:%d" % listener.getsockname()[1], flush=True)
input("press Enter to open the desk")
conn, _ = listener.accept()
while True:
    order = conn.recv(1024)
    if not order:
        break
    conn.sendall(b"ok: " + order)
