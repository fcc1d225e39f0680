"""json-header: answer requests with a JSON header, {"data_len": N, "op": "upper"}, and a body of N bytes.

Check it:  scripts/lab.sh check DIR
The address comes as the last argument, for example 127.0.0.1:9000.
"""

import json
import socket
import struct
import sys


def main():
    host, port = sys.argv[-1].rsplit(":", 1)
    with socket.create_server((host, int(port))) as listener:
        print(f"listening on {host}:{port}", flush=True)
        while True:
            conn, _peer = listener.accept()
            with conn:
                serve(conn)


def serve(conn):
    """One peer, until its end of stream."""
    # This believes that one recv returns one request, and sends its body back as it is. Which bytes make up a request,
    # and what should be done with them?
    while data := conn.recv(65536):
        (length,) = struct.unpack("<i", data[:4])
        header = json.loads(data[4 : 4 + length])
        body = data[4 + length : 4 + length + header["data_len"]]
        answer(conn, {"data_len": len(body)}, body)


def answer(conn, header, body):
    header = json.dumps(header).encode()
    conn.sendall(struct.pack("<i", len(header)) + header + body)


if __name__ == "__main__":
    main()
