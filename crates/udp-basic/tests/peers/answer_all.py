"""A first UDP server: it prints each datagram, and answers whoever sent it. One datagram can end it."""
import socket
import sys

endpoint = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
endpoint.bind(("127.0.0.1", int(sys.argv[1])))
print("listening on 127.0.0.1:%d" % endpoint.getsockname()[1], flush=True)
while True:
    data, peer = endpoint.recvfrom(1024)
    print(len(data), data.decode(), flush=True)
    endpoint.sendto("你好".encode(), peer)
