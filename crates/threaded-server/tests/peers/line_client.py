"""Sends each line that you type, and prints the line that comes back."""
import socket
import sys

conn = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
answers = conn.makefile("rb")
for line in sys.stdin.buffer:
    conn.sendall(line)
    print(answers.readline().decode(), end="", flush=True)
