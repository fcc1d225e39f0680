"""Ten clients connect to a server that says listen(3) and doesn't accept; then it does (Linux). Prints a table."""
import socket
import struct
import time

ESTABLISHED = 1

listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(3)
clients = []
accepted = []
start = time.monotonic()


def state(client):
    return client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]


def row(step):
    place = {"no answer": [], "queue": [], "accepted": []}
    for number, client in enumerate(clients, 1):
        if client.getsockname() in accepted:
            where = "accepted"
        else:
            where = "queue" if state(client) == ESTABLISHED else "no answer"
        place[where].append(str(number))
    # What the clients see must agree with the listener's own queue.
    waiting, = struct.unpack_from("I", listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104), 24)
    assert waiting == len(place["queue"]), (waiting, place)
    cells = [" ".join(numbers) for numbers in place.values()]
    print("%-37s | %-20s | %-12s | %s" % (step, *cells), flush=True)


def connected():
    return sum(state(client) == ESTABLISHED for client in clients)


print("# Where ten clients wait while a server that said listen(3) doesn't accept, and then does")
print("%-37s | %-20s | %-12s | %s" % ("connections after", "SYN sent, no answer", "accept queue", "accepted"))
for _ in range(10):
    client = socket.socket()
    client.setblocking(False)
    client.connect_ex(listener.getsockname())
    clients.append(client)
    time.sleep(0.05)  # so that they don't all send their SYN again at the same moment
row("ten connect")
kept = [listener.accept()]
accepted.append(kept[-1][1])
row("accept")
while connected() == 4:
    time.sleep(0.01)
row("%.1f s: client 5's kernel asks again" % (time.monotonic() - start))
while len(accepted) < 10:
    kept.append(listener.accept())
    accepted.append(kept[-1][1])
row("%.1f s: accept, in a loop" % (time.monotonic() - start))
