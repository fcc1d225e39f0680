"""A relay in twenty lines: it passes the bytes on one at a time, in both directions."""
import socket
import sys
import threading


def pass_on(source, destination):
    while data := source.recv(1):
        destination.sendall(data)
    destination.shutdown(socket.SHUT_WR)


listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("listening on 127.0.0.1:%d" % listener.getsockname()[1], flush=True)
while True:
    client, _ = listener.accept()
    server = socket.create_connection(("127.0.0.1", int(sys.argv[2])))
    for conn in [client, server]:
        conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # don't collect small pieces
    threading.Thread(target=pass_on, args=[client, server], daemon=True).start()
    threading.Thread(target=pass_on, args=[server, client], daemon=True).start()
