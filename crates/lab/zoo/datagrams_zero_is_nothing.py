"""Wrong: it treats a total of 0 as no total.

0 counts as false, and so an addition whose total was 0 looks as if it had never come: it is carried out again. The fix
is to ask whether there is an entry, not whether it is true.

lab: datagrams, case: totals
"""

import socket
import struct
import sys

HEADER = struct.Struct(">Ic")
REMEMBERED = 1024


def main():
    host, port = sys.argv[-1].rsplit(":", 1)
    if not host.startswith("127."):
        sys.exit("datagrams-zero-is-nothing: loopback only")
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
            if not answers.get((peer, number)):  # here: `not 0` is true
                total = (total + int.from_bytes(payload, "big")) % 2**32
                answers[peer, number] = total
                if len(answers) > REMEMBERED:
                    del answers[next(iter(answers))]
            answer = answers[peer, number].to_bytes(4, "big")
            sock.sendto(datagram[: HEADER.size] + answer, peer)


if __name__ == "__main__":
    main()
