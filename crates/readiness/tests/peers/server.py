"""One thread for many clients, with Python's selectors.

    python3 server.py 127.0.0.1:8888
    python3 client.py 127.0.0.1:8888 hello          (in a second terminal)
"""
import selectors
import socket
import sys

MAX_QUEUE = 64 * 1024
MAX_CLIENTS = 256


def main():
    host, _, port = sys.argv[1].rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host.strip("[]"), int(port)), family=family, backlog=128)
    listener.setblocking(False)
    shown = f"[{listener.getsockname()[0]}]" if family == socket.AF_INET6 else host
    print(f"listening on {shown}:{listener.getsockname()[1]}", flush=True)
    serve(listener)


# ANCHOR: loop
class Client:
    def __init__(self, conn):
        self.conn = conn
        self.queue = bytearray()  # answers that the kernel hasn't taken yet
        self.ended = False  # the client has ended its side

    def wants(self):
        events = 0
        if not self.ended and len(self.queue) < MAX_QUEUE:
            events |= selectors.EVENT_READ
        if self.queue:
            events |= selectors.EVENT_WRITE
        return events

    def serve(self, ready):
        """Does what can be done without waiting."""
        try:
            if ready & selectors.EVENT_READ:
                data = self.conn.recv(4096)
                self.ended = not data
                self.queue += data.upper()
            if self.queue:
                sent = self.conn.send(self.queue)  # it takes what fits
                del self.queue[:sent]
        except BlockingIOError:
            pass


def serve(listener):
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    while True:
        for key, ready in selector.select():  # the only call that waits
            if key.fileobj is listener:
                accept(selector, listener)
                continue
            client = key.data
            try:
                client.serve(ready)
            except OSError as error:  # this client's end, not the server's
                print(f"server.py: {error}", file=sys.stderr)
                client.ended = True
                client.queue.clear()
            if client.wants():
                selector.modify(client.conn, client.wants(), client)
            else:
                selector.unregister(client.conn)
                client.conn.close()
                if listener not in selector.get_map():  # now there's room for somebody
                    selector.register(listener, selectors.EVENT_READ)


def accept(selector, listener):
    try:
        conn, _ = listener.accept()
    except (BlockingIOError, ConnectionError):  # the client has left again
        return
    except OSError as error:  # no descriptor is free
        if len(selector.get_map()) == 1:  # not even for one client
            raise
        print(f"server.py: {error}", file=sys.stderr)
        # The listener stays ready, so select would return at once, again and again. And to sleep would stop everybody.
        selector.unregister(listener)
        return
    conn.setblocking(False)
    selector.register(conn, selectors.EVENT_READ, Client(conn))
    if len(selector.get_map()) > MAX_CLIENTS:  # the clients and the listener
        selector.unregister(listener)
# ANCHOR_END: loop


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        sys.exit(f"server.py: {error}")
