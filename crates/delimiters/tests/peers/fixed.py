"""Messages of fixed length: each takes as many bytes as any other, filled up with zero bytes."""
import struct


# ANCHOR: records-both
def records(conn, size):
    """Each message that comes, without its padding, until the stream ends."""
    buffer = b""
    while True:
        while len(buffer) >= size:
            record, buffer = buffer[:size], buffer[size:]
            yield record.rstrip(b"\0")
        piece = conn.recv(4096)
        if not piece and buffer:
            raise EOFError(f"the stream ended inside a record: {len(buffer)} of {size} bytes")
        if not piece:
            return
        buffer += piece


def pad(message, size):
    """The record of a message. struct.pack fills it up, but would also cut off what doesn't fit."""
    if len(message) > size or message.endswith(b"\0"):
        raise ValueError(f"{message!r} is no message for a record of {size} bytes")
    return struct.pack(f"{size}s", message)
# ANCHOR_END: records-both
