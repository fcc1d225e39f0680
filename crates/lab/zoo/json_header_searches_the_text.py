"""Wrong: it searches the header for what it needs, instead of reading it as JSON.

A regular expression finds the first "data_len": and the first "op":, wherever they are: in a string, or in an object
inside the header. A header that uses these words for something else sends it to the wrong place. The fix is a JSON
parser, and then one member.

lab: json-header, case: unknown-members
"""

import ipaddress
import json
import re
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
        text = whole(conn, length).decode()
        number = re.search(r'"data_len"\s*:\s*(\d+)', text)  # here: it should be json.loads(text)
        op = re.search(r'"op"\s*:\s*"(\w+)"', text)
        if not number or int(number[1]) > MAX_BODY:
            raise ValueError("expected a data_len")
        body = whole(conn, int(number[1]))
        try:
            done = run(op[1] if op else None, body)
        except ValueError as error:
            answer(conn, {"data_len": 0, "error": str(error)}, b"")
        else:
            answer(conn, {"data_len": len(done)}, done)


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
