"""The client as everybody writes it first: send a command, take one recv for its answer."""
import socket
import sys

conn = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
while True:
    command = input(">>: ")
    if command == "quit":
        break
    if command:
        conn.sendall(command.encode())
        print(conn.recv(100).decode())
