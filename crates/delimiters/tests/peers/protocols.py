"""Where does a message end? Messages of six protocols: built, shown, and found again however cut.

    python3 protocols.py

It shows how they frame, and nothing else: it has no limits, and believes its peer.
"""
import json
import struct


# ANCHOR: loop
def messages(pieces, end):
    """The read loop. end(buffer) is the length of the message at the front, or None: read on."""
    buffer = b""
    for piece in pieces:  # each is what one recv returned
        buffer += piece
        while (length := end(buffer)) is not None:
            yield buffer[:length]
            buffer = buffer[length:]
    if buffer:
        raise EOFError(f"the stream ended inside a message: {len(buffer)} bytes came")


def whole(buffer, length):
    return length if len(buffer) >= length else None
# ANCHOR_END: loop


def dns(buffer):
    """RFC 1035, 4.2.2: two bytes of length, the highest first; they don't count themselves."""
    return whole(buffer, 2 + int.from_bytes(buffer[:2], "big")) if len(buffer) >= 2 else None


def websocket(buffer):
    """RFC 6455, 5.2: 7 bits of length; 126 and 127 mean that it is in the next 2 or 8 bytes."""
    if len(buffer) < 2:
        return None
    mask, length, at = buffer[1] >> 7, buffer[1] & 0x7F, 2
    if length >= 126:
        at += 2 if length == 126 else 8
        if len(buffer) < at:
            return None
        length = int.from_bytes(buffer[2:at], "big")
    return whole(buffer, at + 4 * mask + length)


# ANCHOR: grpc-both
def http2(buffer):
    """RFC 9113, 4.1: 9 bytes of header, of which the first 3 are the length of what follows it."""
    return whole(buffer, 9 + int.from_bytes(buffer[:3], "big")) if len(buffer) >= 9 else None


def grpc(data):
    """gRPC over HTTP/2: a byte (compressed or not), 4 bytes of length, then the message."""
    return whole(data, 5 + int.from_bytes(data[1:5], "big")) if len(data) >= 5 else None
# ANCHOR_END: grpc-both


def redis(buffer, at=0):
    """RESP: a line. Its first byte says what follows: nothing, some bytes, or some elements."""
    line = buffer.find(b"\r\n", at)
    if line < 0:
        return None
    kind, number, at = buffer[at:at + 1], buffer[at + 1:line], line + 2
    if kind == b"$" and int(number) >= 0:  # -1 is "no value", and nothing follows
        at += int(number) + 2
    if kind == b"*":
        for _ in range(int(number)):
            at = redis(buffer, at)
            if at is None:
                return None
    return whole(buffer, at)


# ANCHOR: http-both
def http(buffer):
    """RFC 9112: lines up to an empty one; then as many bytes as Content-Length says, or chunks."""
    head = buffer.find(b"\r\n\r\n")
    if head < 0:
        return None
    fields = header_fields(buffer[:head].split(b"\r\n")[1:])
    if b"transfer-encoding" in fields:
        return chunks(buffer, head + 4)
    return whole(buffer, head + 4 + int(fields.get(b"content-length", 0)))


def header_fields(lines):
    return dict(line.lower().split(b":", 1) for line in lines)


def chunks(buffer, at):
    """RFC 9112, 7.1: a line with the length in hexadecimal, that many bytes, CRLF; 0 is the last."""
    while (line := buffer.find(b"\r\n", at)) >= 0:
        size = int(buffer[at:line].split(b";")[0], 16)
        at = line + 2 + size + 2
        if size == 0:
            return whole(buffer, at)
    return None
# ANCHOR_END: http-both


def lsp(buffer):
    """LSP, base protocol: header fields as in HTTP. Content-Length counts bytes, not characters."""
    head = buffer.find(b"\r\n\r\n")
    if head < 0:
        return None
    fields = header_fields(buffer[:head].split(b"\r\n"))
    return whole(buffer, head + 4 + int(fields[b"content-length"]))


def samples():
    """What it is, how its end is found, and the pieces of one message, each with its meaning."""
    yield "HTTP/1.1, a response with Content-Length", http, [
        (b"HTTP/1.1 200 OK\r\n", "a line"),
        (b"Content-Length: 5\r\n", "a line: the length of the body"),
        (b"\r\n", "an empty line: the end of the head"),
        (b"hello", "5 bytes"),
    ]
    yield "HTTP/1.1, a response in chunks", http, [
        (b"HTTP/1.1 200 OK\r\n", "a line"),
        (b"Transfer-Encoding: chunked\r\n", "a line: the body comes in chunks"),
        (b"\r\n", "an empty line: the end of the head"),
        (b"5\r\n", "a line: the length of this chunk"),
        (b"hello\r\n", "5 bytes, and the end of the chunk"),
        (b"0\r\n\r\n", "length 0: the last chunk"),
    ]
    yield "Redis, the command ECHO hello", redis, [
        (b"*2\r\n", "a line: 2 elements"),
        (b"$4\r\n", "a line: the length of the first"),
        (b"ECHO\r\n", "4 bytes, and CRLF"),
        (b"$5\r\n", "a line: the length of the second"),
        (b"hello\r\n", "5 bytes, and CRLF"),
    ]
    text, key = b"Hello", bytes.fromhex("37fa213d")
    masked = bytes(byte ^ key[at % 4] for at, byte in enumerate(text))
    yield "WebSocket, a text message of a client", websocket, [
        (bytes([0x81]), "the last frame of a message; text"),
        (bytes([0x80 | len(text)]), "masked; the length"),
        (key, "the mask"),
        (masked, "\"Hello\", XOR the mask"),
    ]
    name = b"hello"
    message = bytes([1 << 3 | 2, len(name)]) + name
    data = struct.pack(">BI", 0, len(message)) + message
    yield "gRPC, a message in an HTTP/2 frame", http2, [
        (len(data).to_bytes(3, "big"), "the length of the frame's data"),
        (struct.pack(">BBI", 0, 1, 1), "DATA, the last of this side; stream 1"),
        (data[:1], "not compressed"),
        (data[1:5], "the length of the message"),
        (message, "protobuf: field 1 has 5 bytes, \"hello\""),
    ]
    labels = [b"example", b"org"]
    question = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    question += struct.pack(">HH", 1, 1)  # an IPv4 address, Internet
    query = struct.pack(">6H", 0x1234, 0x0100, 1, 0, 0, 0) + question
    yield "DNS over TCP, a query for example.org", dns, [
        (struct.pack(">H", len(query)), "the length"),
        (query[:12], "the header: one question"),
        (question, "each label has its length in front"),
    ]
    content = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "shutdown"}).encode()
    yield "LSP, a request", lsp, [
        (b"Content-Length: %d\r\n" % len(content), "a line: the length of the content"),
        (b"\r\n", "an empty line: the end of the head"),
        (content, f"{len(content)} bytes"),
    ]


def show(what, end, pieces):
    message = b"".join(piece for piece, _ in pieces)
    print(f"{what}: {len(message)} bytes")
    for piece, is_what in pieces:
        for at in range(0, len(piece), 12):
            row = piece[at:at + 12]
            text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
            print(f"  {row.hex(' '):36} {text:13} {'' if at else is_what}".rstrip())
    # Two messages glued, cut in two at every place.
    stream = message * 2
    found = [list(messages([stream[:at], stream[at:]], end)) for at in range(1, len(stream))]
    right = sum(came == [message, message] for came in found)
    print(f"  two of them glued, cut at each place: both found {right} of {len(found)} times\n")
    return right == len(found)


def show_grpc_messages():
    """The same loop twice: frames out of the stream, messages out of what the frames carry."""
    one = struct.pack(">BI", 0, 7) + b"\n\5hello"
    stream = b""
    for part in (one + one[:5], one[5:] + one):
        stream += len(part).to_bytes(3, "big") + struct.pack(">BBI", 0, 0, 1) + part
    carried = [frame[9:] for frame in messages([stream], http2)]
    found = list(messages(carried, grpc))
    sizes = " and ".join(str(len(part)) for part in carried)
    print(f"gRPC, 3 messages in HTTP/2 frames of {sizes} bytes: {found.count(one)} found")
    return found == [one] * 3


if __name__ == "__main__":
    RIGHT = [show(*sample) for sample in samples()] + [show_grpc_messages()]
    raise SystemExit(0 if all(RIGHT) else 1)
