"""Sends datagrams of several sizes to itself: which of them can be sent?"""
import socket

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind(("127.0.0.1", 0))
sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)  # macOS: the default limits the datagram
for size in [0, 1472, 1473, 65507, 65508]:
    try:
        sock.sendto(bytes(size), sock.getsockname())
        data, _ = sock.recvfrom(100000)
        print(size, "bytes sent,", len(data), "received")
    except OSError as error:
        print(size, "bytes:", error)
