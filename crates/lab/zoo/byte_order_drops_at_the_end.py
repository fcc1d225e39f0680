"""Wrong: at the end of the peer's stream it closes, whatever it still has to send.

The peer has sent everything, and reads late. It is waiting for an answer that the kernel couldn't take all of. The fix
is to send what is left, and to close then.

lab: byte-order, case: late-end
"""

import ipaddress
import select
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
    conn.setblocking(False)
    came, left = bytearray(), bytearray()
    while True:
        readable, writable, _ = select.select([conn], [conn] if left else [], [])
        if readable:
            piece = conn.recv(65536)
            if not piece:
                return  # here: what is left is never sent
            came += piece
            answer(came, left)
        if left and writable:
            del left[: conn.send(left)]


def answer(came, left):
    while len(came) >= 4:
        (length,) = struct.unpack_from(">i", came)
        if not 0 <= length <= LIMIT:
            raise ValueError(f"expected a length from 0 to {LIMIT}, got {length}")
        if len(came) < 4 + length:
            return
        left += came[:4] + came[4 : 4 + length].upper()
        del came[: 4 + length]


if __name__ == "__main__":
    main()
