"""Sends to a peer that doesn't read, until there is no more room; then the peer reads."""
import socket

listener = socket.create_server(("127.0.0.1", 0))
sender = socket.create_connection(listener.getsockname())
reader, _ = listener.accept()

sender.setblocking(False)  # so that send says when it would wait
sent = 0
try:
    while True:
        sent += sender.send(bytes(65536))
except BlockingIOError:
    print("send took", sent, "bytes; now it would wait")

read = 0
while read < sent:
    read += len(reader.recv(65536))
print("the reader has read", read, "bytes")
print("send took", sender.send(bytes(65536)), "more")
