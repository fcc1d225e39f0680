"""Wrong: it waits for as many bytes as a peer promises.

Four bytes from a stranger can say 2,147,483,647. Nobody has to send them: this server waits for them, forever, and
serves nobody else in the meantime; another would ask for the memory first. The fix is a limit, and a look at the length
before anything else.

lab: frames, case: oversize
"""

import ipaddress
import socket
import struct
import sys


def main():
    host, port = sys.argv[-1].rsplit(":", 1)
    if not ipaddress.ip_address(host).is_loopback:
        sys.exit("loopback only")
    with socket.create_server((host, int(port))) as listener:
        print(f"listening on {host}:{port}", flush=True)
        while True:
            conn, peer = listener.accept()
            try:
                with conn:
                    serve(conn)
            except (OSError, ValueError) as error:
                print(f"{peer}: {error}", file=sys.stderr)


def serve(conn):
    while prefix := receive(conn, 4):
        if len(prefix) < 4:
            raise ValueError("the stream ended inside a length")
        (length,) = struct.unpack("<i", prefix)
        if length < 0:  # here: it should be `not 0 <= length <= LIMIT`
            raise ValueError(f"expected a length from 0, got {length}")
        body = receive(conn, length)
        if len(body) < length:
            raise ValueError("the stream ended inside a body")
        conn.sendall(prefix + body.upper())


def receive(conn, length):
    received = bytearray()
    while len(received) < length:
        piece = conn.recv(min(length - len(received), 65536))
        if not piece:
            break
        received += piece
    return received


if __name__ == "__main__":
    main()
