"""Says its arguments to the server, one after the other, and prints what comes back.

    python3 client.py 127.0.0.1:8888 hello there
"""
import socket
import sys


def main():
    host, _, port = sys.argv[1].rpartition(":")
    with socket.create_connection((host.strip("[]"), int(port)), timeout=30) as conn:
        for line in sys.argv[2:]:
            said = line.encode()
            conn.sendall(said)
            # The answer is as long as what was said.
            answer = bytearray()
            while len(answer) < len(said):
                data = conn.recv(len(said) - len(answer))
                if not data:
                    sys.exit(f"client.py: the stream ended after {len(answer)} of {len(said)} bytes")
                answer += data
            sys.stdout.buffer.write(answer + b"\n")
        conn.shutdown(socket.SHUT_WR)  # we say nothing more, so there's nothing to answer
        if more := conn.recv(64):
            print(f"client.py: {len(more)} bytes came that nobody announced", file=sys.stderr)
            sys.exit(5)


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        sys.exit(f"client.py: {error}")
