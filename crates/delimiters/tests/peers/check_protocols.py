"""Checks protocols.py against the examples of the specifications, and Python's own HTTP."""
import http.client
import io

import protocols


def main():
    samples = {}
    for what, _, pieces in protocols.samples():
        samples[what.split(",")[0]] = b"".join(piece for piece, _ in pieces)
    # RFC 6455, 5.7: "A single-frame masked text message" and the ones around it.
    assert samples["WebSocket"].hex(" ") == "81 85 37 fa 21 3d 7f 9f 4d 51 58"
    for text, length in [
        ("81 05 48 65 6c 6c 6f", 7),
        ("89 05 48 65 6c 6c 6f", 7),
        ("82 7e 01 00" + " aa" * 256, 260),
        ("82 7f 00 00 00 00 00 01 00 00" + " aa" * 65536, 65546),
    ]:
        frame = bytes.fromhex(text)
        assert protocols.websocket(frame) == length == len(frame), text
        assert protocols.websocket(frame[:-1]) is None
        assert protocols.websocket(frame + b"x") == length
        assert all(protocols.websocket(frame[:at]) is None for at in range(min(20, length)))

    # The Redis documentation's examples.
    for text in [
        "+OK\r\n",
        "-Error message\r\n",
        ":1000\r\n",
        "$0\r\n\r\n",
        "$-1\r\n",
        "*0\r\n",
        "*-1\r\n",
        "*2\r\n$5\r\nhello\r\n$5\r\nworld\r\n",
        "*2\r\n*3\r\n:1\r\n:2\r\n:3\r\n*2\r\n+Hello\r\n-World\r\n",
    ]:
        data = text.encode()
        assert protocols.redis(data + b"+next") == len(data), text
        assert all(protocols.redis(data[:at]) is None for at in range(len(data))), text

    # Python's client reads both responses.
    for what, end, pieces in protocols.samples():
        if end is protocols.http:
            response = http.client.HTTPResponse(Socket(b"".join(piece for piece, _ in pieces)))
            response.begin()
            assert response.read() == b"hello", what

    # DNS: the length doesn't count itself.
    assert len(samples["DNS over TCP"]) == 2 + 29
    # LSP: a character of three bytes counts as three.
    assert protocols.lsp("Content-Length: 8\r\n\r\n\"你好\"next".encode()) == 29


class Socket:
    def __init__(self, data):
        self.data = data

    def makefile(self, _mode):
        return io.BytesIO(self.data)


if __name__ == "__main__":
    main()
