"""Messages as lines: a line feed ends each one, and a message may hold any bytes."""
import re

MAX_LINE = 1024


def lines(conn):
    """Each line that comes, without its end (LF or CRLF), until the stream ends."""
    buffer = bytearray()
    while True:
        end = buffer.find(b"\n")
        length = end if end >= 0 else len(buffer)
        if length > MAX_LINE:
            raise ValueError(f"expected a line feed after at most {MAX_LINE} bytes")
        if end >= 0:
            line = bytes(buffer[:end])
            del buffer[:end + 1]  # what comes after the line feed stays
            yield line[:-1] if line.endswith(b"\r") else line
            continue
        piece = conn.recv(4096)
        if not piece and buffer:
            raise EOFError(f"the stream ended inside a line: {len(buffer)} bytes came")
        if not piece:
            return
        buffer += piece


# ANCHOR: escape-both
def escape(message):
    """The line of a message: a line feed inside it must not look like the end."""
    for byte, escaped in [(b"\\", rb"\\"), (b"\n", rb"\n"), (b"\r", rb"\r")]:
        message = message.replace(byte, escaped)
    return message + b"\n"


def unescape(line):
    """The message of a line, in one pass: in backslash, backslash, n there is no line feed."""
    def one(match):
        if match[0] not in MEANS:
            raise ValueError(f"{match[0]!r} means nothing in a line")
        return MEANS[match[0]]
    return re.sub(rb"\\.?|\r", one, line, flags=re.DOTALL)


MEANS = {rb"\\": b"\\", rb"\n": b"\n", rb"\r": b"\r"}
# ANCHOR_END: escape-both
