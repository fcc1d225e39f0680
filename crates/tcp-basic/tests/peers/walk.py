"""One connection from its first call to its last. Watch both ends with ss in another terminal."""
import socket
import sys


def step(now):
    print(now, flush=True)
    input()


listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
port = listener.getsockname()[1]
step("listening on 127.0.0.1:%d. Press Enter after each step" % port)
client = socket.create_connection(("127.0.0.1", port))
step("connect returned, from port %d, and nobody has called accept" % client.getsockname()[1])
server, _ = listener.accept()
client.shutdown(socket.SHUT_WR)
step("the client will send no more: the server's recv returned %r" % server.recv(1024))
server.sendall(b"hi")
step("but it still reads: the client's recv returned %r" % client.recv(1024))
server.close()
step("the server closed: the client's recv returned %r" % client.recv(1024))
client.close()
step("the client closed")
