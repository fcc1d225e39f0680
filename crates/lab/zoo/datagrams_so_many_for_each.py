"""Wrong: it remembers 128 additions for each peer.

Two peers that send as much as each other find all of their 256. One that sends nearly all of them doesn't. The fix is
one memory for all peers.

lab: datagrams, case: remembers-all-peers
"""

import collections
import socket
import struct
import sys

HEADER = struct.Struct(">Ic")
REMEMBERED = 128


def main():
    host, port = sys.argv[-1].rsplit(":", 1)
    if not host.startswith("127."):
        sys.exit("datagrams-so-many-for-each: loopback only")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((host, int(port)))
        print(f"listening on {host}:{port}", flush=True)
        serve(sock)


def serve(sock):
    total = 0
    answers = {}
    numbers = collections.defaultdict(collections.deque)
    while True:
        datagram, peer = sock.recvfrom(65535)
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
                numbers[peer].append(number)
                if len(numbers[peer]) > REMEMBERED:
                    del answers[peer, numbers[peer].popleft()]  # here: it may be one of the last 256
            sock.sendto(answers[peer, number], peer)


if __name__ == "__main__":
    main()
