"""The UDP server of the course, in Python: it answers one datagram with 你好.

    python3 server.py --listen 127.0.0.1:8888
    python3 client.py 127.0.0.1:8888          (in a second terminal)

A peer for tests: it answers one datagram and exits.
"""
import argparse
import socket
import sys


def main():
    options = parse()
    host, port = options.listen
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as endpoint:
        endpoint.bind((host, port))
        print("listening on", show(endpoint.getsockname()), flush=True)
        # A datagram arrives whole or not at all, but what the buffer cannot hold of it is gone.
        data, peer = endpoint.recvfrom(1024)
        print("from", show(peer), flush=True)
        print(data.decode("utf-8", "replace"), flush=True)
        endpoint.sendto("你好".encode("utf-8"), peer)


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
    sys.stdout.reconfigure(encoding="utf-8")
    try:
        main()
    except OSError as error:
        sys.exit(f"server.py: {error}")
