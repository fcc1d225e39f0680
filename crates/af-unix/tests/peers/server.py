"""The same hello and hi between two programs of one machine, in Python: a file names the endpoint.

    python3 server.py --path /tmp/hello.sock
    python3 client.py /tmp/hello.sock          (in a second terminal)

--kind stream keeps no boundaries, datagram and seqpacket do (seqpacket: not on macOS).
A peer for tests: it serves one client, removes its file and exits.
"""
import argparse
import os
import socket
import sys


def main():
    options = parse()
    kind = {"stream": "SOCK_STREAM", "datagram": "SOCK_DGRAM", "seqpacket": "SOCK_SEQPACKET"}[options.kind]
    with socket.socket(socket.AF_UNIX, getattr(socket, kind)) as endpoint:
        endpoint.bind(options.path)
        try:
            serve(endpoint, options)
        finally:
            # Closing does not remove the file: without this the next bind says "Address already in use".
            os.unlink(options.path)


def serve(endpoint, options):
    if options.kind == "datagram":
        print("listening on", options.path, flush=True)
        data, peer = endpoint.recvfrom(1024)
        print(data.decode("utf-8", "replace"), flush=True)
        endpoint.sendto(b"hi", peer)
        return
    endpoint.listen(10)
    print("listening on", options.path, flush=True)
    connection, _ = endpoint.accept()
    with connection:
        message = talk(connection)
    print(message.decode("utf-8", "replace"), flush=True)


def talk(connection):
    """One conversation, as over TCP: hear something, answer hi, read to the end of the stream."""
    connection.settimeout(30)
    message = connection.recv(1024)
    if not message:
        sys.exit("server.py: the client left without a word")
    connection.sendall(b"hi")
    connection.shutdown(socket.SHUT_WR)
    while piece := connection.recv(1024):
        message += piece
    return message


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--path", required=True, metavar="FILE")
    parser.add_argument("--kind", choices=["stream", "datagram", "seqpacket"], default="stream")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        sys.exit(f"server.py: {error}")
