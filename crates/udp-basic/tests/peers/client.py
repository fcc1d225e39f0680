"""The UDP client of the course, in Python: sends one datagram, prints the answer.

    python3 client.py 127.0.0.1:8888

A peer for tests: the answer's bytes go to standard output unchanged.
"""
import argparse
import socket
import sys


def main():
    host, port = parse().server
    family, _, _, _, server = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, socket.SOCK_DGRAM) as endpoint:
        endpoint.settimeout(30)
        endpoint.sendto(b"from udp client", server)
        # The socket is not connected: anybody may write to it, so look who did. 65535: no datagram is larger.
        answer, sender = endpoint.recvfrom(65535)
    if sender[:2] != server[:2]:
        sys.exit(f"client.py: {sender} answered instead of {server}")
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
