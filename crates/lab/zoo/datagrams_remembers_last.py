"""Wrong: it remembers only the last request of each peer.

That is enough for a peer that asks one thing at a time and waits. One that has several requests on the way may ask
again for an older one, and it is carried out twice. The fix is to keep several answers of each peer.

lab: datagrams, case: answer-lost
"""

import socket
import struct
import sys

HEADER = struct.Struct(">Ic")
REMEMBERED = 1024


def main():
    host, port = sys.argv[-1].rsplit(":", 1)
    if not host.startswith("127."):
        sys.exit("datagrams-remembers-last: loopback only")
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
            last, answer = answers.get(peer, (None, b""))
            # here: all but the last request count as new
            if number != last:
                total = (total + int.from_bytes(payload, "big")) % 2**32
                answer = datagram[: HEADER.size] + total.to_bytes(4, "big")
                answers[peer] = (number, answer)
                if len(answers) > REMEMBERED:
                    del answers[next(iter(answers))]
            sock.sendto(answer, peer)


if __name__ == "__main__":
    main()
