"""Wrong: when the shell has ended, it believes that one read returns the whole output.

A read from a pipe returns at most what you ask for, and the pipe may hold more. While the shell runs, nobody reads at
all, so a full pipe stops it. The fix is to read both pipes all the time, each to its end.

lab: shell, case: last-words
"""

import json
import os
import signal
import socket
import struct
import subprocess
import sys

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
                        conn.sendall(struct.pack("<i", len(text)) + text + body)
                except (OSError, ValueError) as error:
                    print(f"{error}", file=sys.stderr)


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
    timed_out = False
    try:
        shell.wait(SECONDS)
    except subprocess.TimeoutExpired:
        timed_out = True
    kill(shell)
    stdout, stderr = read(shell.stdout), read(shell.stderr)
    shell.wait()
    truncated = max(len(stdout), len(stderr)) > OUTPUT
    body = stdout[:OUTPUT] + stderr[:OUTPUT]
    return {"data_len": len(body), "truncated": truncated, "timed_out": timed_out}, body


def read(pipe):
    with pipe:
        return os.read(pipe.fileno(), 4096)  # here: only once


def kill(shell):
    try:
        os.killpg(shell.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


if __name__ == "__main__":
    main()
