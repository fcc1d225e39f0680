"""Provokes the messages of docs/src/symptoms.md, and prints each on a line: what Python says, without the exception's name."""
import asyncio
import http.client
import json
import pickle
import socket
import struct
import threading


def main():
    for provoke in PROVOKE:
        try:
            provoke()
        except Exception as error:
            print(str(error).splitlines()[0])
        else:
            print("nothing went wrong in line", provoke.__code__.co_firstlineno)


def pair(serve):
    """A connection to a server that does this, and a way to wait until it has."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = threading.Thread(target=lambda: serve(listener.accept()[0]), daemon=True)
    server.start()
    return socket.create_connection(listener.getsockname()), server


def reset():
    conn, server = pair(lambda conn: (conn.recv(1), conn.close()))
    conn.sendall(b"hello")
    server.join()  # it has closed with four bytes unread
    conn.recv(1)


def broken_pipe():
    ours, theirs = socket.socketpair()
    theirs.close()
    ours.send(b"x")


def timed_out():
    ours, _theirs = socket.socketpair()
    ours.settimeout(0.01)
    ours.recv(1)


def would_block():
    ours, _theirs = socket.socketpair()
    ours.setblocking(False)
    ours.recv(1)


def closed():
    conn = socket.socket()
    conn.close()
    conn.recv(1)


def refused():
    free = socket.socket()
    free.bind(("127.0.0.1", 0))  # not listening
    socket.create_connection(free.getsockname())


def in_use():
    listener = socket.create_server(("127.0.0.1", 0))
    socket.socket().bind(listener.getsockname())


def too_long():
    socket.socket(type=socket.SOCK_DGRAM).sendto(b"x" * 65508, ("127.0.0.1", 9))


def http_get(answer):
    conn, _server = pair(lambda conn: (conn.recv(1000), conn.sendall(answer), conn.close()))
    client = http.client.HTTPConnection("127.0.0.1", 0)
    client.sock = conn
    client.request("GET", "/")
    client.getresponse().read()


def readexactly():
    async def read():
        reader = asyncio.StreamReader()
        reader.feed_data(b"abc")
        reader.feed_eof()
        await reader.readexactly(10)

    asyncio.run(read())


PROVOKE = [
    lambda: json.loads('{"a":1}{"b":2}'),
    lambda: json.loads(""),
    lambda: json.loads('{"user": "an'),
    lambda: json.loads('{"user"'),
    lambda: json.loads("{"),
    lambda: json.loads(b'\x0b\x00\x00\x00{"user": 1}'),
    lambda: struct.unpack("<i", b""),
    lambda: struct.unpack("<i", b"\x03\x00"),
    lambda: struct.unpack("<i", b"\x03\x00\x00\x00hi\n"),
    lambda: struct.pack("<H", 70000),
    lambda: int(b"3893OK"),
    lambda: int(b""),
    lambda: "你好".encode()[:4].decode(),
    lambda: "你好".encode()[2:].decode(),
    lambda: "你好".encode("gbk").decode(),
    lambda: socket.socketpair()[0].send("hello"),
    lambda: pickle.loads(b""),
    lambda: pickle.loads(pickle.dumps(list(range(1000)))[:100]),
    lambda: socket.create_server(("127.0.0.1", 0)).recv(1),
    lambda: socket.socket().bind(("127.0.0.1", 70000)),
    lambda: socket.socket().bind(("127.0.0.1", "8888")),
    lambda: socket.socket().bind(("192.0.2.1", 8888)),
    lambda: http_get(b""),
    lambda: http_get(b"hello"),
    lambda: http_get(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc"),
    readexactly,
    reset,
    broken_pipe,
    timed_out,
    would_block,
    closed,
    refused,
    in_use,
    too_long,
]

if __name__ == "__main__":
    main()
