"""Where the bytes are while one side sends and the other doesn't read (Linux). Prints a table.

    python3 buffers.py              on loopback, where bytes arrive at once
    python3 buffers.py PID PID      between the two networks that relay-link made
"""
import ctypes
import fcntl
import os
import socket
import struct
import sys
import termios
import time

SIOCOUTQ, SIOCOUTQNSD = 0x5411, 0x894B  # not acknowledged, not sent yet: see tcp(7) and linux/sockios.h


def enter(pid):
    """The sockets that are made from now on belong to the network of this process."""
    if ctypes.CDLL(None, use_errno=True).setns(os.open("/proc/%s/ns/net" % pid, os.O_RDONLY), 0) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def queue(sock, which):
    return struct.unpack("i", fcntl.ioctl(sock, which, bytes(4)))[0]


if len(sys.argv) == 3:
    enter(sys.argv[1])
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32768)
listener.bind(("10.77.0.1" if len(sys.argv) == 3 else "127.0.0.1", 0))
listener.listen()
if len(sys.argv) == 3:
    enter(sys.argv[2])
sender = socket.socket()
sender.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 32768)
sender.connect(listener.getsockname())
reader, _ = listener.accept()
sender.setblocking(False)
reader.setblocking(False)
sent = taken = 0


def row(step):
    arrived = queue(reader, termios.FIONREAD)
    unsent = queue(sender, SIOCOUTQNSD)
    network = sent - unsent - arrived - taken
    print("%-34s | %11d | %7d | %14d" % (step, unsent, network, arrived), flush=True)


def settle():
    """Waits until nothing has moved for half a second."""
    last = None
    while last != (last := [queue(sender, SIOCOUTQ), queue(reader, termios.FIONREAD)]):
        time.sleep(0.5)


def send(data):
    global sent
    try:
        sent += sender.send(data)
        return True
    except BlockingIOError:
        return False


def take(size):
    global taken
    try:
        data = reader.recv(size)
    except BlockingIOError:
        return False
    taken += len(data)
    return bool(data)


print("# Where the bytes are, while one side sends and the other reads late")
print("%-34s | %11s | %7s | %14s" % ("bytes after", "send buffer", "network", "receive buffer"))
send(bytes(8192))
row("send(8192)")
settle()
row("it arrives")
while send(bytes(8192)):
    pass
row("send until it would block")
settle()
row("a second later, still no recv")
while send(bytes(8192)):
    settle()
row("send again until it would block")
take(16384)
settle()
row("recv(16384)")
while take(1 << 20) or queue(sender, SIOCOUTQ):
    time.sleep(0.01)
row("recv until nothing is left")
