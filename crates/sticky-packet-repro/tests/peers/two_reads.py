"""The server of cases 1 and 2, in Python: two reads of one client, each printed.

    python3 two_reads.py --listen 127.0.0.1:8888 --reads 2,5
    python3 two_sends.py 127.0.0.1:8888          (in a second terminal)

A peer for tests: it serves one client and exits. With --hold it accepts only when a line comes on standard
input; the kernel completes the connection and keeps the bytes meanwhile, so both sends are there to be read.
"""
import argparse
import socket
import sys


def main():
    options = parse()
    host, port = options.listen
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family) as listener:
        print("listening on", show(listener.getsockname()), flush=True)
        if options.hold:
            sys.stdin.readline()
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(30)
            for number, size in enumerate(options.reads, 1):
                data = connection.recv(size)
                print(f"info_{number}: {data.decode('utf-8', 'replace')}", flush=True)


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--listen", type=address, default="127.0.0.1:0", metavar="HOST:PORT")
    parser.add_argument("--reads", type=sizes, default="1024,1024", metavar="BYTES,BYTES")
    parser.add_argument("--hold", action="store_true", help="accept when a line comes on standard input")
    return parser.parse_args()


def address(text):
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def sizes(text):
    return [int(size) for size in text.split(",")]


def show(address):
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        sys.exit(f"two_reads.py: {error}")
