"""read-exactly: read frames until the end of the stream, and print the SHA-256 of each.

Check it:  scripts/lab.sh check DIR
The address of the server comes as the last argument, for example 127.0.0.1:9000.
"""

import hashlib
import socket
import struct
import sys

MAX = 16 << 20  # the longest body that is accepted: 16 MiB


class CutOff(Exception):
    """The stream ended inside a frame."""


class BadLength(Exception):
    """No frame has this length."""


def main():
    host, port = sys.argv[-1].rsplit(":", 1)
    try:
        with socket.create_connection((host, int(port))) as server:
            while (body := read_frame(server)) is not None:
                print(hashlib.sha256(body).hexdigest())
    except CutOff as error:
        return fail(4, error)
    except BadLength as error:
        return fail(5, error)
    except OSError as error:
        return fail(3, error)
    return 0


def fail(code, error):
    print(f"read-exactly: {error}", file=sys.stderr)
    return code


def read_frame(server):
    """The body of the next frame; None when the stream ends before it begins."""
    prefix = read_up_to(server, 4)
    if not prefix:
        return None
    if len(prefix) < 4:
        raise CutOff(f"the stream ended inside a length, after {len(prefix)} of 4 bytes")
    (length,) = struct.unpack("<i", prefix)
    if not 0 <= length <= MAX:
        raise BadLength(f"expected a length from 0 to {MAX}, got {length}")
    body = read_up_to(server, length)
    if len(body) < length:
        raise CutOff(f"the stream ended inside a body, after {len(body)} of {length} bytes")
    return body


def read_up_to(server, size):
    """That many bytes, or as many as come before the stream ends."""
    got = bytearray()
    while len(got) < size:
        # Never ask for more than is missing: what comes after belongs to the next frame.
        piece = server.recv(min(size - len(got), 65536))
        if not piece:
            break
        got += piece
    return bytes(got)


if __name__ == "__main__":
    sys.exit(main())
