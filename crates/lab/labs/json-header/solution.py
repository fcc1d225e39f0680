"""json-header: answer requests with a JSON header, {"data_len": N, "op": "upper"}, and a body of N bytes.

Check it:  scripts/lab.sh check DIR
The address comes as the last argument, for example 127.0.0.1:9000.
"""

import json
import socket
import struct
import sys

MAX_HEADER = 64 << 10
MAX_BODY = 16 << 20


def main():
    host, port = sys.argv[-1].rsplit(":", 1)
    with socket.create_server((host, int(port))) as listener:
        print(f"listening on {host}:{port}", flush=True)
        while True:
            conn, peer = listener.accept()
            # What goes wrong with one peer ends that peer and nothing else. JSON's and UTF-8's errors are ValueErrors;
            # brackets that are nested too deep are a RecursionError.
            try:
                with conn:
                    serve(conn)
            except (OSError, ValueError, RecursionError) as error:
                print(f"{peer}: {error}", file=sys.stderr)


def serve(conn):
    """One peer, until its end of stream. After an error that it raises, nobody knows where the next request begins."""
    while prefix := receive(conn, 4):
        if len(prefix) < 4:
            raise ValueError("the stream ended inside the length of a header")
        (length,) = struct.unpack("<i", prefix)
        if not 1 <= length <= MAX_HEADER:
            raise ValueError(f"a header of {length} bytes: 1 to {MAX_HEADER} may be")
        # We decode once all bytes are there, and don't leave it to json: it would guess the encoding, and accept
        # UTF-16, too.
        header = json.loads(whole(conn, length).decode(), parse_constant=refuse)
        data_len = header.get("data_len") if isinstance(header, dict) else None
        # Not isinstance: in Python, True is an int.
        if type(data_len) is not int or not 0 <= data_len <= MAX_BODY:
            raise ValueError(f"expected a data_len from 0 to {MAX_BODY}, got {data_len!r}")
        # The body is read even if nothing can be done with it: the next request comes after it.
        body = whole(conn, data_len)
        try:
            done = run(header.get("op"), body)
        except ValueError as error:
            answer(conn, {"data_len": 0, "error": str(error)}, b"")
        else:
            answer(conn, {"data_len": len(done)}, done)


def refuse(name):
    """Python's json accepts NaN, Infinity and -Infinity unless you say no."""
    raise ValueError(f"{name} is not JSON")


def run(op, body):
    """The answer's body: bytes, so that its length is that of the bytes."""
    match op:
        case "upper":
            return body.upper()
        case "reverse":
            return body.decode()[::-1].encode()
        case "count":
            return str(len(body.decode())).encode()
    raise ValueError("expected upper, reverse or count as op")


def answer(conn, header, body):
    """One sendall for all of it: with several, the later ones would wait for an ACK (Nagle's algorithm)."""
    header = json.dumps(header).encode()
    conn.sendall(struct.pack("<i", len(header)) + header + body)


def whole(conn, length):
    """That many bytes, or an error if the stream ends first."""
    received = receive(conn, length)
    if len(received) < length:
        raise ValueError(f"the stream ended after {len(received)} of {length} bytes")
    return received


def receive(conn, length):
    """That many bytes; fewer only if the stream ends first."""
    received = bytearray()
    while len(received) < length:
        piece = conn.recv(min(length - len(received), 65536))
        if not piece:
            break
        received += piece
    return received


if __name__ == "__main__":
    main()
