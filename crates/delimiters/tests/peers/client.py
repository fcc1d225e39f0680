"""Sends messages in one write, as lines or as records of 8 bytes, and prints the answers.

    python3 client.py --framing lines 127.0.0.1:8888 hello hi

A peer for tests.
"""
import argparse
import itertools
import os
import socket
import sys

from fixed import pad, records
from lines import escape, lines, unescape

SIZE = 8


def main():
    options = parse()
    messages = [os.fsencode(message) for message in options.messages]
    with socket.create_connection(options.server, timeout=30) as conn:
        if options.framing == "lines":
            conn.sendall(b"".join(escape(message) for message in messages))
            answers = (unescape(line) for line in lines(conn))
        else:
            conn.sendall(b"".join(pad(message, SIZE) for message in messages))
            answers = records(conn, SIZE)
        conn.shutdown(socket.SHUT_WR)
        came = list(answers)
    if len(came) != len(messages):
        sys.exit(f"client.py: {len(came)} answers to {len(messages)} messages")
    sys.stdout.buffer.write(b"".join(itertools.chain.from_iterable((it, b"\n") for it in came)))


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("server", type=address, metavar="HOST:PORT")
    parser.add_argument("messages", nargs="*", metavar="MESSAGE")
    parser.add_argument("--framing", choices=["lines", "fixed"], default="lines")
    return parser.parse_args()


def address(text):
    host, _, port = text.rpartition(":")
    return host, int(port)


if __name__ == "__main__":
    try:
        main()
    except EOFError as error:
        print(f"client.py: {error}", file=sys.stderr)
        sys.exit(4)
    except (OSError, ValueError) as error:
        print(f"client.py: {error}", file=sys.stderr)
        sys.exit(5)
