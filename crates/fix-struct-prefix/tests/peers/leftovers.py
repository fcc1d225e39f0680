"""Reads the station's reports from whatever recv returns, and shows what is left over each time."""
import socket
import struct
import sys


class Leftovers:
    """Takes pieces of any size, and gives whole messages. What is left over waits for the next piece."""

    def __init__(self):
        self.buffer = b""

    def add(self, piece):
        self.buffer += piece

    def message(self):
        """The next whole message, or None if part of it is still to come."""
        if len(self.buffer) < 4:
            return None
        (length,) = struct.unpack("<i", self.buffer[:4])
        if len(self.buffer) < 4 + length:
            return None
        message = self.buffer[4 : 4 + length]
        self.buffer = self.buffer[4 + length :]
        return message


conn = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
reader = Leftovers()
while piece := conn.recv(1024):
    print("recv       ", piece.hex(" "))
    reader.add(piece)
    print("buffer     ", reader.buffer.hex(" "))
    while (message := reader.message()) is not None:
        print("message    ", message.decode())
    print("left over  ", reader.buffer.hex(" ") or "nothing")
    print()
if reader.buffer:
    sys.exit(f"the stream ended inside a message: {len(reader.buffer)} bytes are left over")
