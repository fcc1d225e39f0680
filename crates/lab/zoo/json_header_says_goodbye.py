"""Wrong: it sends an answer to the end of the stream.

A peer that has sent its last request counts the answers. One more, with an error in it, belongs to none of its
requests. The fix is to close and to say nothing.

lab: json-header, case: end-between
"""

import ipaddress
import json
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
        while True:
            conn, peer = listener.accept()
            try:
                with conn:
                    serve(conn)
            except (OSError, ValueError, RecursionError) as error:
                print(f"{peer}: {error}", file=sys.stderr)


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
    answer(conn, {"data_len": 0, "error": "goodbye"}, b"")  # here: nobody asked


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
