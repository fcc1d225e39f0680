"""Python's socketserver, a thread for each connection, and each answer in one send.

Its listening socket is its standard input. With the argument `commands` a request is a command, and not echoed but run.
"""
import json
import socket
import socketserver
import struct
import subprocess
import sys


class Echo(socketserver.StreamRequestHandler):
    def handle(self):
        while prefix := self.rfile.read(4):
            (length,) = struct.unpack("<i", prefix)
            self.request.sendall(answer(self.rfile.read(length)))


class Commands(socketserver.BaseRequestHandler):
    def handle(self):
        # A raw request has no end: whatever one recv returns is treated as one command.
        while command := self.request.recv(1024):
            done = subprocess.run(command, shell=True, stdin=subprocess.DEVNULL, capture_output=True)
            self.request.sendall(answer(done.stdout + done.stderr))


def answer(body):
    header = {"data_len": len(body), "status": 0, "stdout_len": len(body), "truncated": False, "timed_out": False}
    header = json.dumps(header, separators=(",", ":")).encode()
    return struct.pack("<i", len(header)) + header + body


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, handler):
        super().__init__(None, handler, bind_and_activate=False)
        self.socket = socket.socket(fileno=0)

    def handle_error(self, request, client_address):
        pass


Server(Commands if sys.argv[1:] == ["commands"] else Echo).serve_forever()
