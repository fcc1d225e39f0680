"""Wrong: it looks for a request only after recv has returned something.

What came after a request is kept, as it should be. But it may already hold a whole request, and its peer sends no more
before it has the answer. The fix is to answer all that is whole, and then to wait.

lab: json-header, case: pipelined
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
    came = bytearray()
    while piece := conn.recv(65536):
        came += piece
        if len(came) < 4:  # here: this should be a loop, until no whole request is left
            continue
        (length,) = struct.unpack_from("<i", came)
        if not 1 <= length <= MAX_HEADER:
            raise ValueError(f"a header of {length} bytes: 1 to {MAX_HEADER} may be")
        if len(came) < 4 + length:
            continue
        header = json.loads(came[4 : 4 + length].decode(), parse_constant=refuse)
        data_len = header.get("data_len") if isinstance(header, dict) else None
        if type(data_len) is not int or not 0 <= data_len <= MAX_BODY:
            raise ValueError(f"expected a data_len from 0 to {MAX_BODY}, got {data_len!r}")
        if len(came) < 4 + length + data_len:
            continue
        body = came[4 + length : 4 + length + data_len]
        del came[: 4 + length + data_len]
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


if __name__ == "__main__":
    main()
