"""The sticky remote-command client, in Python: one recv a command, whatever it brings.

    python3 client.py 127.0.0.1:8888 'echo hi' 'ls'

A peer for tests: the answers' bytes go to standard output unchanged.
"""
import argparse
import os
import socket
import sys


def main():
    options = parse()
    with socket.create_connection(options.server, timeout=30) as connection:
        for command in options.commands:
            connection.sendall(os.fsencode(command))
            # The mistake of this lesson: what does not fit turns up as the answer to the next command.
            answer = connection.recv(options.bufsize)
            if not answer:
                sys.exit("client.py: the server closed without an answer")
            sys.stdout.buffer.write(answer)
            sys.stdout.flush()


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("server", type=address, metavar="HOST:PORT")
    parser.add_argument("commands", nargs="*", metavar="COMMAND")
    parser.add_argument("--bufsize", type=int, default=100, metavar="BYTES")
    # Intermixed: --bufsize may stand between the server and the commands.
    return parser.parse_intermixed_args()


def address(text):
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        sys.exit(f"client.py: {error}")
