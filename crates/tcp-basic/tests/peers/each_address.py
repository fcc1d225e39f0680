"""Connects to each address of a name in turn, until one answers."""
import socket
import sys

name, port = sys.argv[1], int(sys.argv[2])
for family, kind, _, _, address in socket.getaddrinfo(name, port, type=socket.SOCK_STREAM):
    conn = socket.socket(family, kind)
    try:
        conn.connect(address)
    except OSError as error:
        print(address[0], error)
        conn.close()
    else:
        print("connected to", address[0])
        break
