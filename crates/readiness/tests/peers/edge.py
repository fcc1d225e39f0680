"""Level against edge: five bytes come, recv takes two of them. Does epoll report the rest? (Linux)"""
import select
import socket

for name, flags in [("level", select.EPOLLIN), ("edge", select.EPOLLIN | select.EPOLLET)]:
    ours, theirs = socket.socketpair()
    epoll = select.epoll()
    epoll.register(ours, flags)
    theirs.send(b"hello")
    print(name, "poll:", len(epoll.poll(0)), "ready, recv:", ours.recv(2))
    print(name, "poll:", len(epoll.poll(0)), "ready")
    theirs.send(b"!")
    print(name, "poll:", len(epoll.poll(0)), "ready, recv:", ours.recv(1024))
