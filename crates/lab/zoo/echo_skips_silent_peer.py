"""Wrong: it treats a peer that sent nothing as if it had never come, and waits for the next.

Nobody closes the connection of the silent peer, which is waiting for the end that was promised. The fix is to treat it
as any other: a loop that runs zero times, and then the end.

lab: echo, case: empty
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
        data = b""
        while not data:  # here: the silent peer's connection stays open while accept waits
            conn, _peer = listener.accept()
            data = conn.recv(16384)
        with conn:
            while data:
                conn.sendall(data)
                data = conn.recv(16384)


if __name__ == "__main__":
    main()
