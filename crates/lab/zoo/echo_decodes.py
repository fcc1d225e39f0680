"""Wrong: it turns the bytes into text, and the text back into bytes.

As long as the peer sends ASCII nobody notices. Bytes that aren't UTF-8 end the program, and so does a character that
comes in two pieces. An echo has no need to know what the bytes mean.

lab: echo, case: every-byte
"""

import ipaddress
import socket
import sys


def main():
    host, port = sys.argv[-1].rsplit(":", 1)
    if not ipaddress.ip_address(host).is_loopback:
        sys.exit("loopback only")
    with socket.create_server((host, int(port))) as listener:
        print(f"listening on {host}:{port}", flush=True)
        conn, _peer = listener.accept()
        with conn:
            serve(conn)


def serve(conn):
    while data := conn.recv(65536):
        text = data.decode()  # here: these are bytes, and perhaps half a character
        conn.sendall(text.encode())


if __name__ == "__main__":
    main()
