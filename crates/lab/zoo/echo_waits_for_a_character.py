"""Wrong: it decodes what comes and encodes it again, so a character that has only begun has to wait for its other
bytes.

Nothing is lost in the end, and as long as pieces end where characters do, nobody sees it. But what has come has to go back at
once: the peer may wait for it, and bytes are not text.

lab: echo, case: turn-by-turn
"""

import codecs
import ipaddress
import socket
import sys


def main():
    host, port = sys.argv[-1].rsplit(":", 1)
    if not ipaddress.ip_address(host).is_loopback:
        sys.exit("loopback only")
    with socket.create_server((host, int(port))) as listener:
        print(f"listening on {host}:{port}", flush=True)
        while True:
            conn, _peer = listener.accept()
            with conn:
                try:
                    serve(conn)
                except OSError as error:
                    print(f"this connection is over: {error}", file=sys.stderr)


def serve(conn):
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    while data := conn.recv(16384):
        text = decoder.decode(data)  # here: it keeps what may become a character
        conn.sendall(text.encode("utf-8", "surrogateescape"))
    conn.sendall(decoder.decode(b"", True).encode("utf-8", "surrogateescape"))


if __name__ == "__main__":
    main()
