"""Wrong: it shuts a broken connection down, but never closes it.

The peer sees the end and is content. The program keeps the descriptor, and after a thousand such peers the kernel gives
it no more: accept fails. The fix is close, which ends the stream as well.

lab: json-header, case: broken-peers
"""

import ipaddress
import json
import resource
import socket
import struct
import sys

MAX_HEADER = 64 << 10
MAX_BODY = 16 << 20


def main():
    host, port = sys.argv[-1].rsplit(":", 1)
    if not ipaddress.ip_address(host).is_loopback:
        sys.exit("loopback only")
    with socket.create_server((host, int(port))) as listener:
        print(f"listening on {host}:{port}", flush=True)
        # As many as a program has on most systems.
        resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024))
        broken = []
        while True:
            conn, peer = listener.accept()
            try:
                serve(conn)
                conn.close()
            except (OSError, ValueError, RecursionError) as error:
                broken.append((conn, error))  # here: to look at some day
                try:
                    conn.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass


def serve(conn):
    while conn.recv(1, socket.MSG_PEEK):
        (length,) = struct.unpack("<i", whole(conn, 4))
        if not 1 <= length <= MAX_HEADER:
            raise ValueError(f"a header of {length} bytes: 1 to {MAX_HEADER} may be")
        header = json.loads(whole(conn, length).decode(), parse_constant=refuse)
        data_len = header.get("data_len") if isinstance(header, dict) else None
        if type(data_len) is not int or not 0 <= data_len <= MAX_BODY:
            raise ValueError(f"expected a data_len from 0 to {MAX_BODY}, got {data_len!r}")
        body = whole(conn, data_len)
        try:
            done = run(header.get("op"), body)
        except ValueError as error:
            answer(conn, {"data_len": 0, "error": str(error)}, b"")
        else:
            answer(conn, {"data_len": len(done)}, done)


def refuse(name):
    raise ValueError(f"{name} is not JSON")


def run(op, body):
    match op:
        case "upper":
            return body.upper()
        case "reverse":
            return body.decode()[::-1].encode()
        case "count":
            return str(len(body.decode())).encode()
    raise ValueError("expected upper, reverse or count as op")


def answer(conn, header, body):
    header = json.dumps(header).encode()
    conn.sendall(struct.pack("<i", len(header)) + header + body)


def whole(conn, length):
    received = bytearray()
    while len(received) < length:
        piece = conn.recv(min(length - len(received), 65536))
        if not piece:
            raise ValueError("the stream ended inside a request")
        received += piece
    return received


if __name__ == "__main__":
    main()
