"""Wrong: it treats the waiting requests as a batch, and answers each request once per batch.

A peer whose request comes twice gets one answer, and if that one is lost, none. Each datagram gets its own. The fix is
to answer one datagram after the other.

lab: datagrams, case: duplicates-waiting
"""

import select
import socket
import struct
import sys

HEADER = struct.Struct(">Ic")
REMEMBERED = 1024


def main():
    host, port = sys.argv[-1].rsplit(":", 1)
    if not host.startswith("127."):
        sys.exit("datagrams-one-of-a-batch: loopback only")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((host, int(port)))
        print(f"listening on {host}:{port}", flush=True)
        serve(sock)


def batches(sock):
    while True:
        batch = {}
        while not batch or len(batch) < 100 and select.select([sock], [], [], 0)[0]:
            datagram, peer = sock.recvfrom(65535)
            batch[peer, datagram] = None  # here: two equal requests become one
        yield from batch


def serve(sock):
    total = 0
    answers = {}
    for peer, datagram in batches(sock):
        if len(datagram) < HEADER.size:
            continue
        number, operation = HEADER.unpack_from(datagram)
        payload = datagram[HEADER.size :]
        if operation == b"E":
            sock.sendto(datagram, peer)
        elif operation == b"A" and len(payload) == 4:
            if (peer, number) not in answers:
                total = (total + int.from_bytes(payload, "big")) % 2**32
                answers[peer, number] = datagram[: HEADER.size] + total.to_bytes(4, "big")
                if len(answers) > REMEMBERED:
                    del answers[next(iter(answers))]
            sock.sendto(answers[peer, number], peer)


if __name__ == "__main__":
    main()
