"""Wrong: SIGPIPE is not ignored, and an answer leaves in two sends.

Sending to a peer that is gone raises the signal SIGPIPE, which kills the program unless it is ignored or handled. C
programs start out like that; Python ignores the signal, so this program undoes that. The fix is to ignore it, and to
look at the error of send.

lab: frames, case: peer-leaves
"""

import ipaddress
import signal
import socket
import struct
import sys

LIMIT = 16 << 20


def main():
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # here: it should be SIG_IGN
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
        conn.sendall(prefix)
        conn.sendall(body.upper())


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
