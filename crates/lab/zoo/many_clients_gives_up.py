"""Wrong: after 50 errors it believes that it must be at fault itself, and ends.

So many connections can't break by chance, or so it seems. But when a cable is pulled or a machine is switched off, all
its clients are gone at once, and the others lose their server, too. The fix is to close each connection that breaks,
however many.

lab: many-clients, case: many-resets
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
        errors = 0
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
                    errors += 1
                    if errors > 50:
                        sys.exit("too many errors")  # here: they came from 50 clients
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
                del self.left[: self.conn.send(self.left)]
            except BlockingIOError:
                pass
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
