"""Keepalive notices a pulled cable. Here the cable is the loopback of a network of the program's own (Linux)."""
import socket
import subprocess
import time


def loopback(how):
    subprocess.run(["ip", "link", "set", "lo", how], check=True)


loopback("up")
listener = socket.create_server(("127.0.0.1", 0))
conn = socket.create_connection(listener.getsockname())
conn.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1)  # seconds of silence before the first probe
conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)  # seconds between two probes
conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 2)  # two probes without an answer, and it's over
loopback("down")
begin = time.monotonic()
try:
    conn.recv(1024)
except OSError as error:
    print("after %d seconds: %s" % (time.monotonic() - begin, error))
