"""Wrong: it forgets everything when its memory is full.

Right after that, not even the last addition is known, and it is carried out again. The fix is to forget the oldest one,
and to keep the others.

lab: datagrams, case: forgets-the-oldest
"""

import socket
import struct
import sys

HEADER = struct.Struct(">Ic")
REMEMBERED = 1024


def main():
    host, port = sys.argv[-1].rsplit(":", 1)
    if not host.startswith("127."):
        sys.exit("datagrams-empties-its-memory: loopback only")
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
                    answers = {(peer, number): answers[peer, number]}  # here: and the other 1,024?
            sock.sendto(answers[peer, number], peer)


if __name__ == "__main__":
    main()
