"""Wrong: it receives into 65,000 bytes, because that is about as long as a datagram can be.

Most datagrams are short, and only the last 507 bytes of the longest ones are lost. The fix is 65,535: then there is
nothing to think about.

lab: datagrams, case: largest
"""

import socket
import struct
import sys

HEADER = struct.Struct(">Ic")
REMEMBERED = 1024


def main():
    host, port = sys.argv[-1].rsplit(":", 1)
    if not host.startswith("127."):
        sys.exit("datagrams-buffer-of-65-000: loopback only")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((host, int(port)))
        print(f"listening on {host}:{port}", flush=True)
        serve(sock)


def serve(sock):
    total = 0
    answers = {}
    while True:
        datagram, peer = sock.recvfrom(65000)  # here: up to 65,507 bytes may come
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
