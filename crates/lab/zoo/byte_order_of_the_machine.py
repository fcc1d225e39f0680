"""Wrong: it reads and writes numbers in the byte order of the machine.

struct's "i" is this machine's order, little-endian on nearly every one today. The server works with a client that makes
the same mistake on the same kind of machine, and with nobody who keeps to the protocol. 00 01 00 00 is 65536 there, and
256 for this server, which sends back 256 bytes with a length that looks right, and then reads the rest as a length. The
fix is ">i", or "!i".

lab: byte-order, case: length-65536
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
        (length,) = struct.unpack("i", prefix)  # here: it should be ">i"
        if not 0 <= length <= LIMIT:
            raise ValueError(f"expected a length from 0 to {LIMIT}, got {length}")
        body = receive(conn, length)
        if len(body) < length:
            raise ValueError("the stream ended inside a body")
        conn.sendall(struct.pack("i", len(body)) + body.upper())  # and here


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
