"""Wrong: it keeps reading from a pipe that has ended.

A pipe whose writers have gone can always be read: each read returns 0 bytes, at once. The loop goes round until the
shell ends. The fix is to leave a pipe out of the loop when it has ended.

lab: shell, case: waits-quietly
"""

import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import time

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
    pipes, over = (shell.stdout, shell.stderr), os.pidfd_open(shell.pid)
    came = {pipe: b"" for pipe in pipes}
    end, ready, timed_out = time.monotonic() + SECONDS, [], False
    while over not in ready and not timed_out and all(len(all_) <= OUTPUT for all_ in came.values()):
        # here: a pipe that has ended is always readable
        ready = select.select([over, *pipes], [], [], max(0, end - time.monotonic()))[0]
        timed_out = not ready or time.monotonic() >= end
        for pipe in set(ready) - {over}:
            came[pipe] += os.read(pipe.fileno(), 65536)
    kill(shell)
    for pipe in pipes:
        with pipe:
            came[pipe] += pipe.read()
    shell.wait()
    os.close(over)
    stdout, stderr = (came[pipe] for pipe in pipes)
    truncated = max(len(stdout), len(stderr)) > OUTPUT
    body = stdout[:OUTPUT] + stderr[:OUTPUT]
    return {"data_len": len(body), "truncated": truncated, "timed_out": timed_out}, body


def kill(shell):
    try:
        os.killpg(shell.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


if __name__ == "__main__":
    main()
