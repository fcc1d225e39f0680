#!/usr/bin/env bash
# Draws what a program does with its sockets: any program, in any language.
#
#   scripts/see.sh -- python3 chat.py
#       runs it, and draws it when it has ended
#   scripts/see.sh --save server.strace -- python3 server.py
#       keeps the recording, for another terminal:
#   scripts/see.sh server.strace -- python3 client.py
#       draws both sides
#   scripts/see.sh --framing lines server.strace
#       runs nothing, and draws what was recorded
#
# Anything else before -- goes to timeline. The most useful:
#   --framing prefix, prefix-be, json, lines or none
#   --conn N, if there are several connections
#   --svg FILE or --html FILE, to look at it in a browser
# All of them: cargo run -q --bin timeline -- --help
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
recordings=0
arguments=()
while [[ $# -gt 0 && $1 != -- ]]; do
  case "$1" in
    -h | --help)
      sed -n '2,/^set /s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
      exit 0
      ;;
    --save | --via | --conn | --direction | --framing | --svg | --html)
      [[ $# -gt 1 && $2 != -- ]] || complain "$1 needs a value before the --"
      if [[ $1 == --save ]]; then save=$2; else arguments+=("$1" "$2"); fi
      shift
      ;;
    -*) arguments+=("$1") ;;
    *)
      [[ -e $1 ]] || complain "$1: no such recording. To run a command, put -- before it: scripts/see.sh -- python3 server.py"
      arguments+=("$1")
      recordings=$((recordings + 1))
      ;;
  esac
  shift
done
[[ $# -ne 1 ]] || complain "expected a command after --, such as: scripts/see.sh -- python3 server.py"
if [[ $# -eq 0 ]]; then
  [[ $recordings -gt 0 && -z $save ]] || complain "expected -- and a command, such as: scripts/see.sh -- python3 server.py"
else
  shift
  command -v "$1" >/dev/null || complain "$1: no such command"
fi

command -v cargo >/dev/null || complain "cargo is not installed: see https://rustup.rs" 1
programs=$(cd "$root" && mkdir -p "${CARGO_TARGET_DIR:-target}" && cd "${CARGO_TARGET_DIR:-target}" && pwd)/debug
[[ -x $programs/timeline ]] || echo "see.sh: compiling first; this happens once" >&2
(cd "$root" && cargo build --quiet --bin timeline) >&2
[[ $# -gt 0 ]] || exec "$programs/timeline" "${arguments[@]}"
if ! command -v strace >/dev/null; then
  case "$(uname)" in
    Linux) complain "strace is not installed: apt install strace, dnf install strace, or apk add strace" 1 ;;
    *) complain "strace exists on Linux only, and what other systems have (dtruss) needs root. Put a relay between client and server instead; it records what it passes on: cargo run -q --bin relay -- --to HOST:PORT --trace relay.trace; then: cargo run -q --bin timeline -- --via relay.trace" 1 ;;
  esac
fi

# Before the program runs: nobody should have to run it again for a mistyped option.
"$programs/timeline" "${arguments[@]}" --help >/dev/null || exit

if [[ -z $save ]]; then
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
  seen=$folder/${1##*/}.strace
else
  seen=$save
  for argument in "${arguments[@]}"; do
    [[ ! $argument -ef $seen ]] || complain "--save $seen would overwrite the recording that it is to be drawn with: choose another name"
  done
fi
# For you alone, whatever is there already. The program has your own umask.
(umask 077 && : >>"$seen" && chmod 600 "$seen") || complain "cannot write $seen"
exec {lock}<"$seen"
flock -n "$lock" || complain "$seen is being written by another see.sh: end that one first, or choose another name"
: >"$seen"
# Ctrl-C ends the program, and this script draws what it did.
trap : INT
status=0
strace -f -ttt -T -yy -xx -s 1000000 -e trace=network,read,write,readv,writev,close,sendfile,splice -o "$seen" -- "$@" {lock}<&- || status=$?
[[ -s $seen ]] || complain "strace recorded no calls of: $*" 1
[[ $status -eq 0 ]] || echo "see.sh: the program ended with exit code $status" >&2
echo
drawn=0
"$programs/timeline" "${arguments[@]}" "$seen" || drawn=$?
if [[ $drawn -ne 0 && -z $save ]]; then
  # Perhaps an option was missing: nobody should have to run it again for that.
  mv "$seen" "${1##*/}.strace"
  echo "see.sh: kept the recording; to draw it: $(printf '%q ' "${BASH_SOURCE[0]}" "${arguments[@]}" "${1##*/}.strace")" >&2
fi
exit "$drawn"
