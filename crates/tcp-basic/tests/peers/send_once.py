"""One send of 64 MiB, and a loop for what it didn't take. With --timeout, the socket gets a timeout first."""
import socket
import sys
import threading
import time


def send_rest(conn, data, sent):
    """What sendall does: send what was not taken, until everything is. Returns how many calls that took."""
    calls = 0
    while sent < len(data):
        sent += conn.send(data[sent:])
        calls += 1
    return calls


def read_late():
    """The peer. It starts reading half a second late."""
    peer, _ = listener.accept()
    time.sleep(0.5)
    received = 0
    while piece := peer.recv(65536):
        received += len(piece)
    print("the reader got %d bytes" % received)


listener = socket.create_server(("127.0.0.1", 0))
conn = socket.create_connection(listener.getsockname())
if "--timeout" in sys.argv:
    conn.settimeout(5)
# A slice of a memoryview copies nothing: with bytes, data[sent:] would copy the rest each time.
data = memoryview(bytes(64 << 20))
reader = threading.Thread(target=read_late)
reader.start()
sent = conn.send(data)
print("one send took %d of %d bytes" % (sent, len(data)))
print("%d more took the rest" % send_rest(conn, data, sent))
conn.close()
reader.join()
