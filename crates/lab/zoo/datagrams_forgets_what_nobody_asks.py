"""Wrong: it forgets the addition whose last request is longest ago.

Such a cache is called LRU, and Python has one ready-made. But an addition that is asked for again then pushes out a
newer one, which is among the last 256, and whose peer may ask for it next. The fix is to forget the oldest.

lab: datagrams, case: forgets-the-oldest
"""

import socket
import struct
import sys

HEADER = struct.Struct(">Ic")
REMEMBERED = 256


def main():
    host, port = sys.argv[-1].rsplit(":", 1)
    if not host.startswith("127."):
        sys.exit("datagrams-forgets-what-nobody-asks: loopback only")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((host, int(port)))
        print(f"listening on {host}:{port}", flush=True)
        serve(sock)


def serve(sock):
    total = 0
    answers = {}
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
                if len(answers) > REMEMBERED:
                    del answers[next(iter(answers))]
            answers[peer, number] = answers.pop((peer, number))  # here: now it counts as the newest
            sock.sendto(answers[peer, number], peer)


if __name__ == "__main__":
    main()
