"""The order desk, fixed: an order ends with a line feed. The file keeps the bytes after it for the next order."""
import socket
import sys

listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("listening on 127.0.0.1:%d" % listener.getsockname()[1], flush=True)
input("press Enter to open the desk")
conn, _ = listener.accept()
orders = conn.makefile("rb")
for order in orders:
    conn.sendall(b"ok: " + order)
