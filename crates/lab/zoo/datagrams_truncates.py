"""Wrong: its buffer for a datagram has 1,024 bytes.

What does not fit is gone: the next recvfrom returns the next datagram, not the rest. And nothing says so: the echo is
just shorter than what was sent. The fix is a buffer for the longest datagram there is, 65,535 bytes.

lab: datagrams, case: sizes
"""

import socket
import struct
import sys

HEADER = struct.Struct(">Ic")
REMEMBERED = 1024


def main():
    host, port = sys.argv[-1].rsplit(":", 1)
    if not host.startswith("127."):
        sys.exit("datagrams-truncates: loopback only")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((host, int(port)))
        print(f"listening on {host}:{port}", flush=True)
        serve(sock)


def serve(sock):
    total = 0
    answers = {}
    while True:
        # here: a longer datagram loses its end
        datagram, peer = sock.recvfrom(1024)
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
