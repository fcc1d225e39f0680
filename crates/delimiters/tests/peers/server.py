"""Answers each message in capitals: as lines, or as records of 8 bytes.

    python3 server.py --listen 127.0.0.1:8888 --framing lines
    python3 client.py --framing lines 127.0.0.1:8888 hello hi      (in a second terminal)

A peer for tests: it serves one client and exits.
"""
import argparse
import socket
import sys

from fixed import pad, records
from lines import escape, lines, unescape

SIZE = 8


def main():
    options = parse()
    with socket.create_server(options.listen) as listener:
        host, port = listener.getsockname()
        print(f"listening on {host}:{port}", flush=True)
        conn, _ = listener.accept()
    with conn:
        conn.settimeout(30)
        if options.framing == "lines":
            for line in lines(conn):
                conn.sendall(escape(answer(unescape(line))))
        else:
            for message in records(conn, SIZE):
                conn.sendall(pad(answer(message), SIZE))


def answer(message):
    print("message:", message, flush=True)
    return message.upper()


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--listen", type=address, default="127.0.0.1:0", metavar="HOST:PORT")
    parser.add_argument("--framing", choices=["lines", "fixed"], default="lines")
    return parser.parse_args()


def address(text):
    host, _, port = text.rpartition(":")
    return host, int(port)


if __name__ == "__main__":
    try:
        main()
    except (EOFError, OSError) as error:
        print(f"server.py: {error}", file=sys.stderr)
        sys.exit(4)
    except ValueError as error:
        print(f"server.py: {error}", file=sys.stderr)
        sys.exit(5)
