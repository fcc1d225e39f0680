"""The socketserver lesson, in Python: a thread a connection, answers with a JSON header in front.

    python3 server.py --listen 127.0.0.1:9999
    python3 ../../../fix-json-header/tests/peers/client.py 127.0.0.1:9999 'echo hi'          (in a second terminal)

A peer for tests, on loopback and for a moment: it runs whatever it is sent. Serves many clients at once.
"""
import argparse
import json
import socket
import socketserver
import struct
import subprocess
import sys


def main():
    options = parse()
    with Server(options.listen, RemoteCommand) as server:
        print("listening on", show(server.server_address), flush=True)
        server.serve_forever()


class RemoteCommand(socketserver.BaseRequestHandler):
    """Serves one connection from its first request to its end."""

    def handle(self):
        print("from", show(self.client_address), flush=True)
        while True:
            # A raw request has no end of its own, so what one recv returns is taken for one command.
            command = self.request.recv(1024)
            if not command:
                return
            answer = run(command)
            header = json.dumps({"data_len": len(answer)}).encode("utf-8")
            # One send for all three: a length that travels alone waits about 40 ms for its acknowledgement.
            self.request.sendall(struct.pack("<i", len(header)) + header + answer)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128  # the default, 5, makes a crowd of clients wait for seconds

    def __init__(self, address, handler):
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, handler)

    def handle_error(self, request, client_address):
        # One connection's trouble is not the others': say it in one line and go on.
        print(f"server.py: {show(client_address)}: {sys.exc_info()[1]}", file=sys.stderr, flush=True)


def run(command):
    # Both pipes are read at once and both are answered: all of stdout, then all of stderr.
    done = subprocess.run(command, shell=True, stdin=subprocess.DEVNULL, capture_output=True)
    return done.stdout + done.stderr


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--listen", type=address, default="127.0.0.1:0", metavar="HOST:PORT")
    return parser.parse_args()


def address(text):
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def show(address):
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


if __name__ == "__main__":
    try:
        main()
    except (OSError, ValueError) as error:
        sys.exit(f"server.py: {error}")
