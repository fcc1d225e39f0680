"""Wrong: it turns the body into text, and every letter it knows into a capital.

The protocol says a to z, and bytes. upper() of a str turns é into É and ß into SS, and a body that is not UTF-8 is no
text at all. So some answers are other bytes, some are longer than the frame said. The fix is upper() of the bytes.

lab: frames, case: not-ascii
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
    while prefix := receive(conn, 4):
        if len(prefix) < 4:
            raise ValueError("the stream ended inside a length")
        (length,) = struct.unpack("<i", prefix)
        if not 0 <= length <= LIMIT:
            raise ValueError(f"expected a length from 0 to {LIMIT}, got {length}")
        body = receive(conn, length)
        if len(body) < length:
            raise ValueError("the stream ended inside a body")
        body = body.decode(errors="replace").upper().encode()  # here: it should be body.upper(), of the bytes
        conn.sendall(struct.pack("<i", len(body)) + body)


def receive(conn, length):
    received = bytearray()
    while len(received) < length:
        piece = conn.recv(min(length - len(received), 65536))
        if not piece:
            break
        received += piece
    return received


if __name__ == "__main__":
    main()
