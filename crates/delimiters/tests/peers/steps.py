"""Shows the buffer of a reader after each recv: python3 steps.py lines, or fixed (records of 8 bytes)."""
import socket
import sys


def split_line(buffer):
    line, feed, rest = buffer.partition(b"\n")
    return (line, rest) if feed else None


def split_record(buffer):
    return (buffer[:8].rstrip(b"\0"), buffer[8:]) if len(buffer) >= 8 else None


def show(split, pieces):
    """Sends the pieces one at a time, receives each, and takes off the front what is whole."""
    ours, theirs = socket.socketpair()
    buffer = b""
    for number, piece in enumerate(pieces + [b""], 1):
        theirs.sendall(piece) if piece else theirs.close()
        received = ours.recv(1024)
        buffer += received
        print(f"recv {number}  {hexed(received)}")
        while split(buffer):
            before = buffer
            message, buffer = split(buffer)
            print(f"  buffer  {hexed(before):32} whole: \"{message.decode()}\"")
        if received:
            print(f"  buffer  {hexed(buffer):32} nothing whole: recv again")
        else:
            where = "inside a message" if buffer else "between two messages"
            print(f"  buffer  {hexed(buffer):32} the stream ended {where}")
    ours.close()


def hexed(data):
    return data.hex(" ") or "(no bytes)"


if __name__ == "__main__":
    if sys.argv[1] == "lines":
        show(split_line, [b"hel", b"lo\nhi", b"\n"])
    else:
        show(split_record, [b"hel", b"lo\0\0\0hi\0", b"\0\0\0\0\0"])
