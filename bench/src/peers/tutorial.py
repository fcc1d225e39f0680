"""The tutorial's threaded server, with an echo in place of the command: one recv a request, three sends an answer.

Its listening socket is its standard input. Only the first four bytes are cut off: the tutorial's requests have no length.
"""
import json
import socket
import socketserver
import struct


class MyServer(socketserver.BaseRequestHandler):
    def handle(self):
        while True:
            try:
                body = self.request.recv(1024)[4:]
                if not body:
                    break
                header = {
                    "data_len": len(body), "status": 0, "stdout_len": len(body), "truncated": False, "timed_out": False,
                }
                header = json.dumps(header, separators=(",", ":")).encode()
                self.request.send(struct.pack("i", len(header)))
                self.request.send(header)
                self.request.send(body)
            except ConnectionError:
                break


server = socketserver.ThreadingTCPServer(None, MyServer, bind_and_activate=False)
server.socket = socket.socket(fileno=0)
server.daemon_threads = True
server.serve_forever()
