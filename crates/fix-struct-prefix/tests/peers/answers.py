"""Answers each byte that it reads with "hi" and a line feed, their length in front: in two writes, or in one."""
import socket
import struct
import sys

how = sys.argv[2]  # two, one, or nodelay: two writes with TCP_NODELAY
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("listening on 127.0.0.1:%d" % listener.getsockname()[1], flush=True)
conn, _ = listener.accept()
if how == "nodelay":
    conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
answer = b"hi\n"
prefix = struct.pack("<i", len(answer))
while conn.recv(1):
    if how == "one":
        conn.sendall(prefix + answer)
    else:
        conn.sendall(prefix)
        conn.sendall(answer)
