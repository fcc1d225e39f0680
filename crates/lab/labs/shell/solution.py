"""shell: run the commands that a peer sends, and answer each with a JSON header and its output.

Check it:  scripts/lab.sh check DIR
The address comes as the last argument, for example 127.0.0.1:9000.
"""

import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading

COMMAND = 64 << 10  # the longest request
OUTPUT = 1 << 20  # what is kept of each pipe
SECONDS = 2  # how long a command may run


def main():
    host, port = sys.argv[-1].rsplit(":", 1)
    if host != "127.0.0.1":
        sys.exit("shell: everyone who can connect can run commands: only 127.0.0.1 is allowed")
    with socket.create_server((host, int(port))) as listener:
        print(f"listening on {host}:{port}", flush=True)
        while True:
            conn, _peer = listener.accept()
            with conn:
                try:
                    serve(conn)
                except (OSError, ValueError) as error:
                    # What goes wrong with one peer ends that peer, and not the server.
                    print(f"shell: {error}", file=sys.stderr)


def serve(conn):
    while (command := read_request(conn)) is not None:
        header, body = run(command)
        text = json.dumps(header).encode()
        conn.sendall(struct.pack("<i", len(text)) + text + body)


def run(command):
    # A session of its own is a process group of its own: it can be killed with all that the shell starts in it.
    shell = subprocess.Popen(
        ["/bin/sh", "-c", command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    # Both pipes are read at once: a command that fills one may already have filled the other.
    stdout, stderr = Reader(shell.stdout, shell.pid), Reader(shell.stderr, shell.pid)
    timed_out = False
    try:
        shell.wait(SECONDS)
    except subprocess.TimeoutExpired:
        timed_out = True
    # What the shell has left running holds the pipes open, and their readers waiting. What has left the group (setsid)
    # is out of reach, and would delay this answer: a server for real use would stop reading here.
    kill_group(shell.pid)
    shell.wait()
    stdout.join()
    stderr.join()
    body = stdout.kept[:OUTPUT] + stderr.kept[:OUTPUT]
    truncated = stdout.too_much or stderr.too_much
    return {"data_len": len(body), "truncated": truncated, "timed_out": timed_out}, body


class Reader(threading.Thread):
    """Reads a pipe to its end; kills the command's group if it writes too much."""

    def __init__(self, pipe, group):
        super().__init__(daemon=True)
        self.pipe, self.group = pipe, group
        self.kept = b""
        self.too_much = False
        self.start()

    def run(self):
        # One byte beyond the limit shows that there is more.
        with self.pipe:
            self.kept = self.pipe.read(OUTPUT + 1)
            self.too_much = len(self.kept) > OUTPUT
            if self.too_much:
                kill_group(self.group)


def kill_group(group):
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass  # nothing is left; macOS says EPERM where there are only zombies


def read_request(conn):
    """The next command; None when the peer has ended its side between two requests."""
    prefix = read_exactly(conn, 4)
    if not prefix:
        return None
    if len(prefix) < 4:
        raise ValueError(f"the stream ended inside a length: {len(prefix)} of 4 bytes came")
    (length,) = struct.unpack("<i", prefix)
    if not 0 <= length <= COMMAND:
        raise ValueError(f"expected a length from 0 to {COMMAND}, got {length}")
    command = read_exactly(conn, length)
    if len(command) < length:
        raise ValueError(f"the stream ended inside a request: {len(command)} of {length} bytes came")
    return command


def read_exactly(conn, length):
    """That many bytes; fewer only if the stream ends first."""
    data = bytearray()
    while len(data) < length:
        piece = conn.recv(length - len(data))
        if not piece:
            break
        data += piece
    return bytes(data)


if __name__ == "__main__":
    main()
