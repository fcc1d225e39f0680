"""Wrong: a chat that sends to everybody on the spot, and waits for each."""
import socket
import sys
import threading

listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("listening on 127.0.0.1:%d" % listener.getsockname()[1], flush=True)
clients = []


def serve(conn):
    clients.append(conn)
    while data := conn.recv(1024):
        for other in clients:
            if other is not conn:
                other.sendall(data)  # here: if this one doesn't read, everybody waits
    clients.remove(conn)


while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
