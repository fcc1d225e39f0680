"""Sends a datagram to a port where nobody is. Who says so? With --connect, the kernel does."""
import socket
import sys

server = ("127.0.0.1", int(sys.argv[1]))
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.settimeout(1)
try:
    if "--connect" in sys.argv:
        sock.connect(server)
        print("send took", sock.send(b"anybody there?"), "bytes", flush=True)
        print(sock.recv(1024))
    else:
        print("sendto took", sock.sendto(b"anybody there?", server), "bytes", flush=True)
        print(sock.recvfrom(1024))
except OSError as error:
    print(repr(error))
