"""Wrong: its loop carries on after an error: recv fails again at once, and the thread uses up a whole processor for
nothing.

An error of recv is the end of the connection, as 0 bytes are. Other peers are served all the while, so nobody notices until the machine is
slow.

lab: echo, case: reset
"""

import ipaddress
import socket
import sys
import threading


def main():
    host, port = sys.argv[-1].rsplit(":", 1)
    if not ipaddress.ip_address(host).is_loopback:
        sys.exit("loopback only")
    with socket.create_server((host, int(port))) as listener:
        print(f"listening on {host}:{port}", flush=True)
        while True:
            conn, _peer = listener.accept()
            threading.Thread(target=serve, args=(conn,), daemon=True).start()


def serve(conn):
    with conn:
        while True:
            try:
                data = conn.recv(16384)
                if not data:
                    return
                conn.sendall(data)
            except BrokenPipeError:
                return
            except ConnectionResetError:
                conn.close()
            except OSError:
                continue  # here: the descriptor is closed, and stays closed


if __name__ == "__main__":
    main()
