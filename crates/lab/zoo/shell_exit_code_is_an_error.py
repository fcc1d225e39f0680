"""Wrong: it treats a command that fails as an error of its own.

`grep` without a match has exit code 1, and the peer gets the end of the stream instead of an answer.
subprocess.run(..., check=True) does this. The fix is to answer what the command wrote, whatever its exit code is.

lab: shell, case: any-end
"""

import json
import os
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
    with ThreadPoolExecutor() as pool:
        pipes = [pool.submit(read, shell, pipe) for pipe in (shell.stdout, shell.stderr)]
        timed_out = False
        try:
            shell.wait(SECONDS)
        except subprocess.TimeoutExpired:
            timed_out = True
        kill(shell)
        stdout, stderr = (pipe.result() for pipe in pipes)
    if shell.wait() not in (0, -signal.SIGKILL):
        raise ValueError("the command failed")  # here: its exit code is the command's business
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
