"""Connects to the first address of a name, and to no other."""
import socket
import sys

name, port = sys.argv[1], int(sys.argv[2])
family, kind, _, _, address = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)[0]
conn = socket.socket(family, kind)
conn.connect(address)
print("connected to", address[0])
