"""shell: run the commands that a peer sends, and answer each with a JSON header and its output.

Check it:  scripts/lab.sh check DIR
The address comes as the last argument, for example 127.0.0.1:9000.
"""

import json
import socket
import struct
import subprocess
import sys

COMMAND = 64 << 10  # the longest request


def main():
    host, port = sys.argv[-1].rsplit(":", 1)
    if host != "127.0.0.1":
        sys.exit("shell: everyone who can connect can run commands: only 127.0.0.1 is allowed")
    with socket.create_server((host, int(port))) as listener:
        print(f"listening on {host}:{port}", flush=True)
        while True:
            conn, _peer = listener.accept()
            with conn:
                try:
                    serve(conn)
                except (OSError, ValueError) as error:
                    # What goes wrong with one peer ends that peer, and not the server.
                    print(f"shell: {error}", file=sys.stderr)


def serve(conn):
    while (command := read_request(conn)) is not None:
        header, body = run(command)
        text = json.dumps(header).encode()
        conn.sendall(struct.pack("<i", len(text)) + text + body)


def run(command):
    # This waits for the command to end, however long that takes and however much it writes; and it keeps only what the
    # command wrote to stdout. What else does the page ask for?
    done = subprocess.run(["/bin/sh", "-c", command], stdout=subprocess.PIPE)
    return {"data_len": len(done.stdout)}, done.stdout


def read_request(conn):
    """The next command; None when the peer has ended its side between two requests."""
    prefix = read_exactly(conn, 4)
    if not prefix:
        return None
    if len(prefix) < 4:
        raise ValueError(f"the stream ended inside a length: {len(prefix)} of 4 bytes came")
    (length,) = struct.unpack("<i", prefix)
    if not 0 <= length <= COMMAND:
        raise ValueError(f"expected a length from 0 to {COMMAND}, got {length}")
    command = read_exactly(conn, length)
    if len(command) < length:
        raise ValueError(f"the stream ended inside a request: {len(command)} of {length} bytes came")
    return command


def read_exactly(conn, length):
    """That many bytes; fewer only if the stream ends first."""
    data = bytearray()
    while len(data) < length:
        piece = conn.recv(length - len(data))
        if not piece:
            break
        data += piece
    return bytes(data)


if __name__ == "__main__":
    main()
