"""The first idea: say how long the answer is, and send it right away."""
import socket

client, server = socket.socketpair()
answer = b"hi\n"
server.sendall(str(len(answer)).encode())
server.sendall(answer)
length = int(client.recv(1024))
print("the answer has", length, "bytes")
