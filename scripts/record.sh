#!/usr/bin/env bash
# Records again the runs from which some of the book's pictures are drawn, and those that its playground replays. Some run in
# a network of their own. Needs Linux and strace:
#
#   scripts/record.sh           writes crates/timeline/tests/ladder/, crates/timeline/tests/levels/ and docs/src/playground/runs/
#
# Look at the pictures afterwards: scripts/pictures.sh draws them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

into=$PWD/crates/timeline/tests/ladder
programs=$(mkdir -p "${CARGO_TARGET_DIR:-target}" && cd "${CARGO_TARGET_DIR:-target}" && pwd)/debug

# Records a server and its client: record NAME SERVER CLIENT, each with its arguments in one word.
record() {
  local seen
  seen=$(mktemp -d)
  # shellcheck disable=SC2016 # the inner shell expands them
  # strace writes down every call on a socket, and segments what travels between the two.
  "$programs/segments" --every "$seen/wire.trace" -- bash -c '
    see="strace -ttt -T -yy -xx -s 1000000 -e trace=network,read,write,readv,writev,close -o"
    cd "$1" && export PATH=$2:$PATH
    $see server.strace $3 >said &
    server=$!
    until grep -q listening said; do sleep 0.1; done
    eval "$see client.strace $4"
    # tcp-basic-server ends by itself; the others are children of their strace.
    [[ $3 == *basic* ]] || kill $(cat /proc/$server/task/$server/children)
    wait $server || true
  ' record "$seen" "$programs" "$2" "$3"
  cp "$seen/wire.trace" "$into/$1.wire.trace"
  # What is about files says nothing here, and is not for others.
  for side in client server; do
    grep -E '<TCP:|socket\(AF_INET' "$seen/$side.strace" >"$into/$1.$side.strace"
  done
  rm -r "$seen"
}

cargo build --quiet --bins
mkdir -p "$into"
asks="fix-struct-prefix-client$(printf " -c 'echo hi'%.0s" {1..4})"
record handshake tcp-basic-server tcp-basic-client
record two-writes 'zoo-two-writes --listen 127.0.0.1:8888' "$asks"
record one-write fix-struct-prefix-server "$asks"

# Where bytes and connections wait, as two Python programs see it; the bytes on a line that takes 25 ms.
levels=crates/timeline/tests/levels
peers=crates/timeline/tests/peers
mkdir -p "$levels"
python3 $peers/accept_queue.py | sed 's/ *$//' >$levels/accept-queue.txt
coproc LINK { "$programs/relay-link" --delay 25; }
read -r _ _ left _ right <&"${LINK[0]}"
python3 $peers/buffers.py "$left" "$right" >$levels/buffers.txt
kill "$LINK_PID"

# What the playground replays: experiments, and the plain pairs.
runs=docs/src/playground/runs
mkdir -p "$runs"
rm -f "$runs"/*
for name in sticky utf8 struct; do
  scripts/demo.sh "$name" --picture "$runs/$name.trace" >/dev/null
done

# Records a server and its clients in one file: pair NAME SERVER CLIENT..., each with its arguments in one word.
pair() {
  local trace=$runs/$1.trace client server
  # shellcheck disable=SC2086 # to split it into the program and its arguments
  exec {said}< <(exec "$programs"/$2 --trace "$trace")
  server=$!
  read -r _ <&"$said" # now it listens
  for client in "${@:3}"; do
    # shellcheck disable=SC2086
    "$programs"/$client --trace "$trace" >/dev/null
  done
  kill "$server" 2>/dev/null || true # some servers end by themselves
  wait "$server" || true
  exec {said}<&-
}
socket=hello.sock
pair tcp tcp-basic-server tcp-basic-client
pair ipv6 'tcp-basic-server --listen [::1]:8888' 'tcp-basic-client --connect [::1]:8888'
# Three datagrams, one of them empty, and a socket that reads them late. The grep leaves out what Python does with files.
strace -ttt -T -yy -xx -s 1000 -e trace=network -o /dev/stdout python3 -c '
import socket
there, here = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
there.bind(("127.0.0.1", 8888))
for message in b"hello", b"", b"hi":
    here.sendto(message, ("127.0.0.1", 8888))
for _ in range(3):
    there.recvfrom(1024)' | grep -E '<UDP:|socket\(AF_INET' >"$runs/udp.strace"
pair unix "af-unix-server --path $socket" "af-unix-client --path $socket"
pair two-clients threaded-server 'threaded-client -c date' 'threaded-client -c uname'
