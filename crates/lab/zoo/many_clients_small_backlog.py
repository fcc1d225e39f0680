"""Wrong: it leaves the backlog at its library's default.

socketserver asks for a backlog of 5. Connections that nobody has accepted yet wait in the kernel, and when six wait,
the next SYN is dropped: that client tries again after one second, and after two more. The fix is request_queue_size =
128.

lab: many-clients, case: backlog
"""

import socketserver
import struct
import sys

LIMIT = 16 << 20


class Client(socketserver.StreamRequestHandler):
    """Each runs in a thread of its own. rfile.read(n) returns n bytes, or fewer only at the end of the stream."""

    def handle(self):
        try:
            while len(prefix := self.rfile.read(4)) == 4:
                (length,) = struct.unpack("<i", prefix)
                if not 0 <= length <= LIMIT or len(frame := self.rfile.read(length)) < length:
                    return
                self.wfile.write(prefix + frame.upper())
        except OSError:
            pass


class Server(socketserver.ThreadingTCPServer):
    # here: request_queue_size is missing
    allow_reuse_address = True
    daemon_threads = True


def main():
    host, port = sys.argv[-1].rsplit(":", 1)
    if host != "127.0.0.1":
        sys.exit("this is a wrong program: it listens on 127.0.0.1 only")
    with Server((host, int(port)), Client) as server:
        print(f"listening on {host}:{port}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
