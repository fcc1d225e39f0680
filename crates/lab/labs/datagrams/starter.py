"""datagrams: a UDP server that carries out each numbered request once, however often it comes.

Check it:  scripts/lab.sh check DIR
The address comes as the last argument, for example 127.0.0.1:9000.

A request, and its answer:  number (4 bytes, network byte order) | operation (1 byte) | payload
  E  echo: the answer's payload is the request's.
  A  add: the payload is a number of 4 bytes, to be added to the total; the answer's payload is the new total.
"""

import socket
import sys


def main():
    host, port = sys.argv[-1].rsplit(":", 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((host, int(port)))
        print(f"listening on {host}:{port}", flush=True)
        # This sends back what came, once. What should go back, to whom, and how often may a request come?
        datagram, peer = sock.recvfrom(1024)
        sock.sendto(datagram[:4], peer)


if __name__ == "__main__":
    main()
