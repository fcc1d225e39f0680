"""read-exactly: read frames until the end of the stream, and print the SHA-256 of each.

Check it:  scripts/lab.sh check DIR
The address of the server comes as the last argument, for example 127.0.0.1:9000.

A frame is a length (struct.pack("<i", n): 4 bytes) and a body of that many bytes. The server sends any number of frames
and ends. For each, print one line: the SHA-256 of its body. Then exit with 0.
If the stream ends inside a length or a body: a line on stderr, exit code 4.
If the length is negative or over 16 MiB: a line on stderr, exit code 5.
"""

import hashlib
import socket
import sys


def main():
    host, port = sys.argv[-1].rsplit(":", 1)
    with socket.create_connection((host, int(port))) as server:
        # This believes that one recv returns one whole frame. Does it?
        data = server.recv(4096)
        print(hashlib.sha256(data[4:]).hexdigest())
    return 0


if __name__ == "__main__":
    sys.exit(main())
