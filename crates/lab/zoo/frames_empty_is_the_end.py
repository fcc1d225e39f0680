"""Wrong: it treats an empty frame as the end of the stream.

At the end of the stream a recv returns b"", and an empty frame has the body b"". The first is the end of a peer; the
second is a message that happens to be empty, and more may follow. The fix is to ask for the end only where a frame
begins.

lab: frames, case: empty
"""

import ipaddress
import socket
import struct
import sys

LIMIT = 16 << 20


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
        if not 0 <= length <= LIMIT:
            raise ValueError(f"expected a length from 0 to {LIMIT}, got {length}")
        body = receive(conn, length)
        if not body:  # here: these two lines should not be here
            return
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
