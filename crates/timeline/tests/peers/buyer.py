"""Sends three orders to the desk, and prints everything that comes back."""
import socket
import sys

end = b"\n" if "--lines" in sys.argv else b""
conn = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
for order in [b"10 apples", b"2 pears", b"1 melon"]:
    conn.sendall(order + end)
conn.shutdown(socket.SHUT_WR)
while True:
    answer = conn.recv(1024)
    if not answer:
        break
    print(answer.decode())
