"""Both ends in one program: two sends, and what two recvs make of them."""
import socket
import struct

listener = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listener.getsockname())
# With SO_LINGER, close waits until the other side's kernel has all the bytes.
client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 30))
client.sendall(b"hello")
client.sendall(b"hi")
client.close()
conn, _ = listener.accept()
print("info_1:", conn.recv(1024).decode())
print("info_2:", conn.recv(1024).decode())
