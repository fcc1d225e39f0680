#!/usr/bin/env bash
# Draws what a program does with its sockets: any program, in any language.
#
#   scripts/see.sh -- python3 chat.py
#       runs it, and draws it when it has ended
#   scripts/see.sh --save server.strace -- python3 server.py
#       keeps what was seen, for another terminal:
#   scripts/see.sh server.strace -- python3 client.py
#       draws both sides
#   scripts/see.sh --framing lines --html run.html -- node app.js
#       anything before -- goes to timeline: --framing, --conn, --direction,
#       --svg, --html, --via, and other recordings
#
# A recording holds whatever the program read and sent: only you can read it.
# This script goes on for as long as any child of the program is running.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

complain() {
  echo "see.sh: $1" >&2
  exit "${2:-2}"
}

save=
options=()
while [[ $# -gt 0 && $1 != -- ]]; do
  case "$1" in
    -h | --help)
      sed -n '2,/^set /s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
      exit 0
      ;;
    --save)
      [[ $# -gt 1 && $2 != -- ]] || complain "--save needs a file"
      save=$2
      shift
      ;;
    *) options+=("$1") ;;
  esac
  shift
done
[[ $# -gt 1 ]] || complain "expected -- and a command, such as: scripts/see.sh -- python3 server.py"
shift

if ! command -v strace >/dev/null; then
  case "$(uname)" in
    Linux) complain "strace is not installed: apt install strace, dnf install strace, or apk add strace" 1 ;;
    *) complain "strace exists on Linux only, and what other systems have (dtruss) needs root. Put a relay between client and server instead; it records what it passes on: cargo run -q --bin relay -- --to HOST:PORT --trace relay.trace; then: cargo run -q --bin timeline -- --via relay.trace" 1 ;;
  esac
fi
command -v cargo >/dev/null || complain "cargo is not installed: see https://rustup.rs" 1
programs=$(cd "$root" && mkdir -p "${CARGO_TARGET_DIR:-target}" && cd "${CARGO_TARGET_DIR:-target}" && pwd)/debug
[[ -x $programs/timeline ]] || echo "see.sh: compiling first; this happens once" >&2
(cd "$root" && cargo build --quiet --bin timeline) >&2

if [[ -z $save ]]; then
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
  seen=$folder/${1##*/}.strace
else
  seen=$save
fi
# For you alone, whatever is there already. The program has your own umask.
(umask 077 && : >"$seen" && chmod 600 "$seen") || complain "cannot write $seen"
# Ctrl-C ends the program, and this script draws what it did.
trap : INT
status=0
strace -f -ttt -T -yy -xx -s 1000000 -e trace=network,read,write,readv,writev,close,sendfile,splice -o "$seen" -- "$@" || status=$?
[[ -s $seen ]] || complain "strace recorded no calls of: $*" 1
[[ $status -eq 0 ]] || echo "see.sh: the program ended with exit code $status" >&2
drawn=0
"$programs/timeline" "${options[@]}" "$seen" || drawn=$?
if [[ $drawn -ne 0 && -z $save ]]; then
  # Perhaps an option was missing: nobody should have to run it again for that.
  mv "$seen" "${1##*/}.strace"
  echo "see.sh: kept as ${1##*/}.strace; to draw it: cargo run -q --bin timeline -- OPTIONS ${1##*/}.strace" >&2
fi
exit "$drawn"
