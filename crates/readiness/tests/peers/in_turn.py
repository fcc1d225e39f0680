"""Serves three clients, one after the other, again and again."""
import socket
import sys

listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("listening on 127.0.0.1:%d" % listener.getsockname()[1], flush=True)
clients = [listener.accept()[0] for _ in range(3)]
while clients:
    for conn in list(clients):
        data = conn.recv(1024)
        conn.sendall(data.upper())
        if not data:
            clients.remove(conn)
            conn.close()
