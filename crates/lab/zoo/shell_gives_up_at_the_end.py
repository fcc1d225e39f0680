"""Wrong: if it can't write at once, it treats the end of the peer's stream as a reason to give up.

An event loop sees that the connection can be read, reads the end, and closes. But the peer has only ended its side: it
still reads what is due. The fix is to write on until everything is sent or the write fails.

lab: shell, case: late-end
"""

import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

COMMAND, OUTPUT, SECONDS = 64 << 10, 1 << 20, 2


def main():
    host, port = sys.argv[-1].rsplit(":", 1)
    if host != "127.0.0.1":
        sys.exit("this is a wrong program: it listens on 127.0.0.1 only")
    with socket.create_server((host, int(port))) as listener:
        print(f"listening on {host}:{port}", flush=True)
        while True:
            conn, _peer = listener.accept()
            with conn, conn.makefile("rb") as stream:
                try:
                    while (command := read_request(stream)) is not None:
                        header, body = run(command)
                        text = json.dumps(header).encode()
                        send(conn, struct.pack("<i", len(text)) + text + body)
                except (OSError, ValueError) as error:
                    print(f"{error}", file=sys.stderr)


def send(conn, data):
    while data:
        can_read, can_write, _ = select.select([conn], [conn], [])
        if can_write:
            data = data[conn.send(data[:4096]) :]
        elif can_read and not conn.recv(1, socket.MSG_PEEK):
            raise ValueError("the peer has gone")  # here: it has only ended its side


def read_request(stream):
    # read(n) returns n bytes, or fewer only at the end of the stream.
    prefix = stream.read(4)
    if not prefix:
        return None
    (length,) = struct.unpack("<i", prefix) if len(prefix) == 4 else (-1,)
    if not 0 <= length <= COMMAND or len(command := stream.read(length)) < length:
        raise ValueError("a wrong length, or an end inside a request")
    return command


def run(command):
    shell = subprocess.Popen(
        ["/bin/sh", "-c", command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    with ThreadPoolExecutor() as pool:
        pipes = [pool.submit(read, shell, pipe) for pipe in (shell.stdout, shell.stderr)]
        timed_out = False
        try:
            shell.wait(SECONDS)
        except subprocess.TimeoutExpired:
            timed_out = True
        kill(shell)
        stdout, stderr = (pipe.result() for pipe in pipes)
    shell.wait()
    truncated = max(len(stdout), len(stderr)) > OUTPUT
    body = stdout[:OUTPUT] + stderr[:OUTPUT]
    return {"data_len": len(body), "truncated": truncated, "timed_out": timed_out}, body


def read(shell, pipe):
    with pipe:
        kept = pipe.read(OUTPUT + 1)
        if len(kept) > OUTPUT:
            kill(shell)
        return kept


def kill(shell):
    try:
        os.killpg(shell.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


if __name__ == "__main__":
    main()
