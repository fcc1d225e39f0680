"""Sends twice to a peer that has closed. With --default, SIGPIPE does what it does in a C program."""
import select
import signal
import socket
import sys

if "--default" in sys.argv:
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)

listener = socket.create_server(("127.0.0.1", 0))
conn = socket.create_connection(listener.getsockname())
listener.accept()[0].close()

print("first send:", conn.send(b"hello"), flush=True)
wait = select.poll()
wait.register(conn, 0)  # nothing asked for: it returns once the connection is broken
wait.poll()
try:
    print("second send:", conn.send(b"hello"))
except OSError as error:
    print("second send:", repr(error))
