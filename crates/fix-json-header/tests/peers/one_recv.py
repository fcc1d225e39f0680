"""JSON over a stream, and one recv for one message."""
import json
import socket

client, server = socket.socketpair()
client.sendall(json.dumps({"op": "add", "n": 1}).encode())
client.sendall(json.dumps({"op": "add", "n": 2}).encode())
print(json.loads(server.recv(1024)))
