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
    # create_server sets SO_REUSEADDR, binds and listens.
    with socket.create_server((host, port), family=family, backlog=10) as listener:
        print("listening on", show(listener.getsockname()), flush=True)
        connection, peer = listener.accept()
        print("from", show(peer), flush=True)
        with connection:
            message = talk(connection)
    print(message.decode("utf-8", "replace"), flush=True)


def talk(connection):
    """One conversation: hear something, answer hi, read to the end of the stream."""
    connection.settimeout(30)
    # recv returns what has arrived. For 5 bytes that is nearly always everything, but TCP does not promise it.
    message = connection.recv(1024)
    if not message:
        sys.exit("server.py: the client left without a word")
    connection.sendall(b"hi")
    # Half-close: the client reads hi, and then the end of the stream.
    connection.shutdown(socket.SHUT_WR)
    # The rest of the message may still come. And if we closed with bytes unread, TCP would reset the connection.
    while piece := connection.recv(1024):
        message += piece
    return message


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
