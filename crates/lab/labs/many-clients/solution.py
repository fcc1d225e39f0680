"""many-clients: send frames back in capitals, to 200 clients at once, none of which waits for another.

Check it:  scripts/lab.sh check DIR
The address comes as the last argument, for example 127.0.0.1:9000.
"""

import socket
import struct
import sys
import threading
import time

LIMIT = 16 << 20


def main():
    host, port = sys.argv[-1].rsplit(":", 1)
    # create_server asks for a backlog of 128: that many may wait until we get around to accepting them.
    with socket.create_server((host, int(port))) as listener:
        print(f"listening on {host}:{port}", flush=True)
        while True:
            try:
                conn, _peer = listener.accept()
                # A thread for each client: whatever it waits for, it waits alone. A daemon, so that Ctrl-C ends them
                # all. Only the machine limits their number; a server for strangers counts them, and makes the next one
                # wait.
                threading.Thread(target=serve, args=(conn,), daemon=True).start()
            except (OSError, RuntimeError) as error:
                # A client that is gone already, or no descriptor or thread left: that's not the end of the server.
                print(f"many-clients: {error}", file=sys.stderr)
                time.sleep(0.01)


def serve(conn):
    # All that the thread knows about its client is in here: nothing to share, nothing to lock. `with` closes the
    # connection, however this ends.
    with conn:
        try:
            while (frame := read_frame(conn)) is not None:
                conn.sendall(struct.pack("<i", len(frame)) + frame.upper())
        except (OSError, ValueError) as error:
            # A reset, or a broken frame: that's the end of this client, and of nobody else.
            print(f"many-clients: {error}", file=sys.stderr)


def read_frame(conn):
    """The next frame; None when the peer has ended its side between two frames."""
    prefix = read_exactly(conn, 4)
    if not prefix:
        return None
    if len(prefix) < 4:
        raise ValueError(f"the stream ended inside a length: {len(prefix)} of 4 bytes came")
    (length,) = struct.unpack("<i", prefix)
    if not 0 <= length <= LIMIT:
        raise ValueError(f"expected a length from 0 to {LIMIT}, got {length}")
    body = read_exactly(conn, length)
    if len(body) < length:
        raise ValueError(f"the stream ended inside a frame: {len(body)} of {length} bytes came")
    return body


def read_exactly(conn, length):
    """That many bytes; fewer only if the stream ends first."""
    data = bytearray()
    while len(data) < length:
        piece = conn.recv(min(length - len(data), 1 << 16))
        if not piece:
            break
        data += piece
    return bytes(data)


if __name__ == "__main__":
    main()
