"""An order desk. It takes what one recv brings for one order: that is the mistake."""
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
