"""Wrong: a peer that is gone keeps its place.

A hundred are served at a time. A place is released at the end of the stream and after a frame that is not valid, but
not when recv or send fails. The fix is `with PLACES:` or `finally`.

lab: frames, case: many-gone
"""

import ipaddress
import socket
import struct
import sys
import threading

LIMIT = 16 << 20
PLACES = threading.Semaphore(100)


def main():
    host, port = sys.argv[-1].rsplit(":", 1)
    if not ipaddress.ip_address(host).is_loopback:
        sys.exit("loopback only")
    with socket.create_server((host, int(port))) as listener:
        print(f"listening on {host}:{port}", flush=True)
        while True:
            PLACES.acquire()
            conn, peer = listener.accept()
            threading.Thread(target=place, args=(conn, peer), daemon=True).start()


def place(conn, peer):
    try:
        with conn:
            serve(conn)
        PLACES.release()
    except ValueError as error:
        print(f"{peer}: {error}", file=sys.stderr)
        PLACES.release()
    except OSError as error:
        print(f"{peer}: {error}", file=sys.stderr)  # here: the place is not released


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
        conn.sendall(prefix + body.upper())


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
