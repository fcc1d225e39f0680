"""The client of the Unix-socket lesson, in Python: says hello, prints what comes back.

    python3 client.py /tmp/hello.sock [--kind datagram]

A peer for tests: the answer's bytes go to standard output unchanged.
"""
import argparse
import os
import socket
import sys
import tempfile


def main():
    options = parse()
    answer = datagram(options.path) if options.kind == "datagram" else connected(options.path, options.kind)
    if not answer:
        sys.exit("client.py: the server closed without an answer")
    sys.stdout.buffer.write(answer)


def connected(path, kind):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM if kind == "stream" else socket.SOCK_SEQPACKET) as connection:
        connection.settimeout(30)
        connection.connect(path)
        connection.sendall(b"hello")
        answer = connection.recv(1024)
        # A message is whole after one recv; a stream may bring the rest later, until it ends.
        while kind == "stream":
            piece = connection.recv(1024)
            if not piece:
                break
            answer += piece
        return answer


def datagram(path):
    # A Unix datagram socket has no name until it is bound, and the server cannot answer the nameless.
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as endpoint:
        endpoint.settimeout(30)
        endpoint.bind(os.path.join(folder, "client"))
        endpoint.sendto(b"hello", path)
        return endpoint.recv(1024)


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", metavar="PATH")
    parser.add_argument("--kind", choices=["stream", "datagram", "seqpacket"], default="stream")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        sys.exit(f"client.py: {error}")
