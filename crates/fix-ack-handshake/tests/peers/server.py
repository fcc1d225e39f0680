"""Fix 1, the ack handshake, in Python: the length in decimal, wait for OK, then the output.

    python3 server.py --listen 127.0.0.1:8888
    python3 client.py 127.0.0.1:8888 'echo hi' 'ls'          (in a second terminal)

A peer for tests, on loopback and for a moment: it runs whatever it is sent. Serves one client after another.
"""
import argparse
import socket
import subprocess
import sys


def main():
    options = parse()
    host, port = options.listen
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family) as listener:
        print("listening on", show(listener.getsockname()), flush=True)
        while True:
            connection, peer = listener.accept()
            with connection:
                print("from", show(peer), flush=True)
                serve(connection)


def serve(connection):
    while True:
        # A raw request has no end: whatever one recv returns is treated as one command.
        command = connection.recv(1024)
        if not command:
            return
        answer = run(command)
        connection.sendall(str(len(answer)).encode("ascii"))
        # Two bytes and no more: the next command may already come after them.
        ack = read_exact(connection, 2)
        if ack != b"OK":
            sys.exit(f"server.py: expected OK, got {ack!r}")
        connection.sendall(answer)


def read_exact(connection, count):
    data = bytearray()
    while len(data) < count:
        piece = connection.recv(count - len(data))
        if not piece:
            sys.exit(f"server.py: the stream ended after {len(data)} of {count} bytes")
        data += piece
    return bytes(data)


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
