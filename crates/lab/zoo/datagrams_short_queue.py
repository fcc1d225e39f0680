"""Wrong: it has a queue of its own, with room for 8 requests.

It empties the kernel's queue, which is longer, into its own, and what does not fit is gone. The network may lose
datagrams; the server need not help it. The fix is to take one, to answer it, and to leave the others where they are.

lab: datagrams, case: burst
"""

import collections
import select
import socket
import struct
import sys

HEADER = struct.Struct(">Ic")
REMEMBERED = 1024


def main():
    host, port = sys.argv[-1].rsplit(":", 1)
    if not host.startswith("127."):
        sys.exit("datagrams-short-queue: loopback only")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((host, int(port)))
        print(f"listening on {host}:{port}", flush=True)
        serve(sock)


def serve(sock):
    total = 0
    answers = {}
    queue = collections.deque(maxlen=8)  # here: one more pushes out the oldest
    while True:
        while not queue or select.select([sock], [], [], 0)[0]:
            queue.append(sock.recvfrom(65535))
        datagram, peer = queue.popleft()
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
