"""The TCP client of the first lesson, in Python: says hello, prints what comes back.

    python3 client.py 127.0.0.1:8888

A peer for tests: the answer's bytes go to standard output unchanged.
"""
import argparse
import socket
import sys


def main():
    options = parse()
    with socket.create_connection(options.server, timeout=30) as connection:
        connection.sendall(b"hello")
        # The server closes after its answer, so the end of the stream is the end of the answer.
        answer = bytearray()
        while True:
            piece = connection.recv(1024)
            if not piece:
                break
            answer += piece
    if not answer:
        sys.exit("client.py: the server closed without an answer")
    sys.stdout.buffer.write(answer)


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("server", type=address, metavar="HOST:PORT")
    return parser.parse_args()


def address(text):
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        sys.exit(f"client.py: {error}")
