"""A chat, with two threads for each client: one hears it, the other empties its queue.

    python3 server.py 127.0.0.1:8888
    python3 client.py 127.0.0.1:8888 ann          (in a second terminal)
"""
import queue
import socket
import struct
import sys
import threading
import time

QUEUE = 100  # messages that may wait for a client
PACE = 0.01  # seconds between two lines of a client
MAX_LINE = 1024

# ANCHOR: chat
clients = []
lock = threading.Lock()


class Client:
    def __init__(self, conn):
        self.conn = conn
        self.name = None
        self.queue = queue.Queue(maxsize=QUEUE)

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
    try:
        while (line := lines.readline(MAX_LINE + 1)).endswith(b"\n"):
            hear(client, visible(line))
            time.sleep(PACE)  # meanwhile its next lines wait in the kernel, and in the end its send waits
    except (OSError, queue.Full):
        pass
    with lock:
        was_here = client in clients
        if was_here:
            clients.remove(client)
    try:
        client.queue.put_nowait(None)  # the end of the other thread
    except queue.Full:
        close_now(client.conn)
    lines.close()
    client.conn.close()
    if was_here:
        tell(f"* {client.name} has left")


def hear(client, line):
    if client.name:
        tell(f"{client.name}: {line}", sender=client)
        return
    with lock:
        others = [other.name for other in clients]
    if line in others or not line.isalnum() or len(line) > 20:
        client.queue.put_nowait("* that isn't a name, or it's taken: choose another")
        return
    tell(f"* {line} is here")
    here = "also here: " + ", ".join(others) if others else "nobody else is here yet"
    client.queue.put_nowait(f"* welcome, {line}: {here}")
    client.name = line
    with lock:
        clients.append(client)


def visible(line):
    """What a terminal shows, nothing that it would obey."""
    text = line.decode("utf-8", "replace").rstrip("\r\n")
    return "".join(c if c.isprintable() else "\\u{%x}" % ord(c) for c in text)


def main():
    host, _, port = sys.argv[1].rpartition(":")
    listener = socket.create_server((host, int(port)), backlog=128)
    print("listening on %s:%d" % listener.getsockname(), flush=True)
    while True:
        conn, _ = listener.accept()
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16384)  # so that our queue is the one that counts
        client = Client(conn)
        threading.Thread(target=client.write, daemon=True).start()
        threading.Thread(target=read, args=(client,), daemon=True).start()


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        sys.exit(f"server.py: {error}")
