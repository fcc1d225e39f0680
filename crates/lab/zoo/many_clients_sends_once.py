"""Wrong: it sends once, and believes that everything was sent.

A send that does not wait takes what fits into the kernel's buffers, and says how much that was. The rest of a large
answer is lost, and the next answer begins in the middle of it. The fix is to keep the rest until the socket can be
written again.

lab: many-clients, case: never-reads
"""

import selectors
import socket
import struct
import sys

LIMIT = 16 << 20


def main():
    host, port = sys.argv[-1].rsplit(":", 1)
    if host != "127.0.0.1":
        sys.exit("this is a wrong program: it listens on 127.0.0.1 only")
    with socket.create_server((host, int(port))) as listener, selectors.DefaultSelector() as events:
        print(f"listening on {host}:{port}", flush=True)
        events.register(listener, selectors.EVENT_READ)
        while True:
            for key, ready in events.select():
                if key.data is None:
                    conn, _peer = listener.accept()
                    conn.setblocking(False)
                    events.register(conn, selectors.EVENT_READ, Client(conn))
                    continue
                try:
                    wanted = key.data.turn(ready)
                except (OSError, ValueError):
                    wanted = 0
                if wanted:
                    events.modify(key.fileobj, wanted, key.data)
                else:
                    events.unregister(key.fileobj)
                    key.fileobj.close()


class Client:
    def __init__(self, conn):
        self.conn = conn
        self.came, self.left, self.ended = bytearray(), bytearray(), False

    def turn(self, ready):
        """Reads and writes what it can without waiting; returns what to wait for next, 0 when the client is done."""
        if ready & selectors.EVENT_READ:
            data = self.conn.recv(1 << 16)
            self.ended = not data
            self.came += data
            self.answer()
        if self.left:
            try:
                self.conn.send(self.left)  # here: how much was taken?
            except BlockingIOError:
                pass
            self.left.clear()
        reads = 0 if self.ended else selectors.EVENT_READ
        return reads | (selectors.EVENT_WRITE if self.left else 0)

    def answer(self):
        while len(self.came) >= 4:
            (length,) = struct.unpack_from("<i", self.came)
            if not 0 <= length <= LIMIT:
                raise ValueError(f"expected a length from 0 to {LIMIT}, got {length}")
            if len(self.came) < 4 + length:
                return
            self.left += self.came[:4] + self.came[4 : 4 + length].upper()
            del self.came[: 4 + length]


if __name__ == "__main__":
    main()
