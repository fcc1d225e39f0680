"""Wrong: it reads everything that is there before it answers, and forgets it at the end of the stream.

A recv of 0 bytes leaves the function. The frames that came just before it are not answered, though their peer is still
reading. The fix is to answer what is whole, and then to look at the end.

lab: frames, case: half-close
"""

import ipaddress
import socket
import struct
import sys

LIMIT = 16 << 20


def main():
    host, port = sys.argv[-1].rsplit(":", 1)
    if not ipaddress.ip_address(host).is_loopback:
        sys.exit("loopback only")
    with socket.create_server((host, int(port))) as listener:
        print(f"listening on {host}:{port}", flush=True)
        while True:
            conn, peer = listener.accept()
            try:
                with conn:
                    serve(conn)
            except (OSError, ValueError) as error:
                print(f"{peer}: {error}", file=sys.stderr)


def serve(conn):
    received = bytearray()
    while True:
        try:
            # Wait for the first piece, then take everything that has arrived.
            piece = conn.recv(65536)
            while piece:
                received += piece
                piece = conn.recv(65536, socket.MSG_DONTWAIT)
            return  # here: whole frames may be in `received`
        except BlockingIOError:
            answer(conn, received)


def answer(conn, received):
    while len(received) >= 4:
        (length,) = struct.unpack_from("<i", received)
        if not 0 <= length <= LIMIT:
            raise ValueError(f"expected a length from 0 to {LIMIT}, got {length}")
        if len(received) < 4 + length:
            return
        conn.sendall(received[:4] + received[4 : 4 + length].upper())
        del received[: 4 + length]


if __name__ == "__main__":
    main()
