"""The order desk, mended: an order ends with a line feed, and readline keeps what comes after it for the next one."""
import socket
import sys

listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("listening on 127.0.0.1:%d" % listener.getsockname()[1], flush=True)
input("press Enter to open the desk")
conn, _ = listener.accept()
orders = conn.makefile("rb")
for order in orders:
    conn.sendall(b"ok: " + order)
