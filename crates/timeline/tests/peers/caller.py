"""Sends one message, shuts down its sending side, and prints everything that comes back."""
import socket
import sys

conn = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
conn.sendall(b"hello, is anybody there?")
conn.shutdown(socket.SHUT_WR)
echo = b""
try:
    while data := conn.recv(1024):
        echo += data
except ConnectionResetError as error:
    print(error)
print(echo.decode())
