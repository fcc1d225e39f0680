"""Wrong: its buffer of 1 MiB starts over only when it is empty, so a frame that reaches the end of the buffer finds no
room.

While the peer waits for each answer, the buffer is always empty in the end. With frames that come without a pause it
never is. recv with room for 0 bytes then returns 0 bytes, which looks like the end of the stream. The fix is to move
what is left to the front.

lab: frames, case: long-stream
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
    buffer, start, end = bytearray(1 << 20), 0, 0
    while True:
        if start == end:
            start = end = 0  # here: when there is no more room, it should move what is left
        if end - start >= 4:
            (length,) = struct.unpack("<i", buffer[start : start + 4])
            if not 0 <= length <= LIMIT:
                raise ValueError(f"expected a length from 0 to {LIMIT}, got {length}")
            if end - start >= 4 + length:
                body = buffer[start + 4 : start + 4 + length]
                conn.sendall(buffer[start : start + 4] + body.upper())
                start += 4 + length
                continue
            if 4 + length > len(buffer) and end == len(buffer):
                buffer += bytearray(4 + length)
        got = conn.recv_into(memoryview(buffer)[end:])
        if got == 0:
            return
        end += got


if __name__ == "__main__":
    main()
