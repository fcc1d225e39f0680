"""Wrong: it carries out a request each time it comes.

A network may duplicate a datagram, and a peer that lost the answer asks again: then the amount is added twice. The fix
is to keep the answer, and to send the same one again.

lab: datagrams, case: unkind-network
"""

import socket
import struct
import sys

HEADER = struct.Struct(">Ic")


def main():
    host, port = sys.argv[-1].rsplit(":", 1)
    if not host.startswith("127."):
        sys.exit("datagrams-carries-out-twice: loopback only")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((host, int(port)))
        print(f"listening on {host}:{port}", flush=True)
        serve(sock)


def serve(sock):
    total = 0
    while True:
        datagram, peer = sock.recvfrom(65535)
        if len(datagram) < HEADER.size:
            continue
        _number, operation = HEADER.unpack_from(datagram)
        payload = datagram[HEADER.size :]
        if operation == b"E":
            sock.sendto(datagram, peer)
        elif operation == b"A" and len(payload) == 4:
            # here: it may have come before
            total = (total + int.from_bytes(payload, "big")) % 2**32
            sock.sendto(datagram[: HEADER.size] + total.to_bytes(4, "big"), peer)


if __name__ == "__main__":
    main()
