"""A chat, with two threads for each client: one hears it, the other empties its queue.

    python3 server.py 127.0.0.1:8888
    python3 client.py 127.0.0.1:8888 ann          (in a second terminal)
"""
import queue
import re
import socket
import struct
import sys
import threading
import time

QUEUE = 100  # messages that may wait for a client
PACE = 0.01  # seconds between two lines of a client
MAX_LINE = 1024
SHOWN = 20  # so many of the others a newcomer reads of

# ANCHOR: chat
clients = []
lock = threading.Lock()


class Client:
    def __init__(self, conn):
        self.conn = conn
        self.name = None
        self.queue = queue.Queue(maxsize=QUEUE)
        self.writer = threading.Thread(target=self.write, daemon=True)

    def write(self):
        """A thread of its own: only this one waits if the client doesn't read."""
        try:
            while text := self.queue.get():
                self.conn.sendall(text.encode() + b"\n")
        except OSError:
            pass  # the thread that reads learns it, too


def tell(text, sender=None):
    """Puts a message into everybody's queue but the sender's. Nothing is sent here, so nobody is waited for."""
    if text.startswith("*"):
        print(text, flush=True)
    with lock:
        for client in list(clients):
            if client is sender:
                continue
            try:
                client.queue.put_nowait(text)
            except queue.Full:  # the policy
                clients.remove(client)
                close_now(client.conn)
                news = f"* {client.name} is disconnected: {QUEUE} messages were waiting, and it didn't read"
                threading.Thread(target=tell, args=(news,)).start()
# ANCHOR_END: chat


def close_now(conn):
    """A reset: what the kernel still has for this client is thrown away. Both threads of the client wake up."""
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    try:
        conn.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # it's gone already


def read(client):
    lines = client.conn.makefile("rb")
    why = "has left"
    try:
        while (line := lines.readline(MAX_LINE + 1)).endswith(b"\n"):
            hear(client, visible(line))
            time.sleep(PACE)  # meanwhile its next lines wait in the kernel, and in the end its send waits
        if len(line) > MAX_LINE:
            why = f"is disconnected: a line of more than {MAX_LINE} bytes"
            client.queue.put_nowait("* that line is too long: goodbye")
        elif line:
            why = f"is gone: the stream ended inside a line, after {len(line)} bytes of it"
    except queue.Full:
        pass  # it has no name yet, or it's disconnected anyway
    except OSError as error:
        why = f"is gone: {error.strerror}"
    with lock:
        was_here = client in clients
        if was_here:
            clients.remove(client)
    if was_here:
        tell(f"* {client.name} {why}")
    try:
        client.queue.put_nowait(None)  # the end of the other thread
        client.writer.join(timeout=1)
    except queue.Full:
        pass
    if client.writer.is_alive():  # it waits in sendall
        close_now(client.conn)
    lines.close()
    client.conn.close()


def hear(client, line):
    if client.name:
        tell(f"{client.name}: {line}", sender=client)
        return
    # Under one lock: between "nobody has it" and "now it's mine", somebody else could take it.
    with lock:
        others = [other.name for other in clients]
        if line in others or not is_name(line):
            client.queue.put_nowait("* that isn't a name, or it's taken: choose another")
            return
        client.queue.put_nowait(welcome(line, others))
        client.name = line
        clients.append(client)
    tell(f"* {line} is here", sender=client)


def welcome(newcomer, others):
    if not others:
        return f"* welcome, {newcomer}: nobody else is here yet"
    more = f" and {len(others) - SHOWN} more" if len(others) > SHOWN else ""
    return f"* welcome, {newcomer}: also here: {', '.join(others[:SHOWN])}{more}"


def is_name(line):
    """ASCII letters and digits, - and _, and the common Chinese characters: no blanks, and no Cyrillic twins."""
    return re.fullmatch("[A-Za-z0-9_\u4e00-\u9fff-]{1,20}", line) is not None


def visible(line):
    """What a terminal shows, nothing that it would obey."""
    text = line.decode("utf-8", "replace").rstrip("\r\n")
    return "".join(c if c.isprintable() else "\\u{%x}" % ord(c) for c in text)


def main():
    host, _, port = sys.argv[1].rpartition(":")
    listener = socket.create_server((host, int(port)), backlog=128)
    print("listening on %s:%d" % listener.getsockname(), flush=True)
    while True:
        try:
            conn, _ = listener.accept()
            conn.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16384)  # so that our queue is the one that counts
        except OSError as error:  # the client has left again, or no descriptor is free
            print(f"server.py: {error}", file=sys.stderr)
            time.sleep(0.1)  # only this thread waits
            continue
        client = Client(conn)
        client.writer.start()
        threading.Thread(target=read, args=(client,), daemon=True).start()


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        sys.exit(f"server.py: {error}")
