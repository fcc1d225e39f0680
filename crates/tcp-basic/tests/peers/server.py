"""The TCP server of the first lesson, in Python: one client says hello, it hears hi.

    python3 server.py --listen 127.0.0.1:8888
    python3 client.py 127.0.0.1:8888          (in a second terminal)

A peer for tests: it serves one client and exits.
"""
import argparse
import socket
import sys


def main():
    options = parse()
    host, port = options.listen
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family, backlog=10) as listener:
        print("listening on", show(listener.getsockname()), flush=True)
        connection, peer = listener.accept()
        with connection:
            connection.settimeout(30)
            print("from", show(peer), flush=True)
            # Nothing in the stream says where the greeting ends: what one recv brings is taken for all of it.
            data = connection.recv(1024)
            if not data:
                sys.exit("server.py: the client left without a word")
            print(data.decode("utf-8", "replace"), flush=True)
            connection.sendall(b"hi")


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
    except OSError as error:
        sys.exit(f"server.py: {error}")
