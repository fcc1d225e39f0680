#!/usr/bin/env bash
# Draws the pictures of the book again, each from a real run.
#
#   scripts/pictures.sh             writes docs/src/pictures/
#   scripts/pictures.sh --check     changes nothing; says which pictures differ from what a run draws today
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

pictures=(sticky utf8 case1 case2 delimiter struct json)
recordings=(desk desk-lines echo-once echo-loop)
steps=(handshake stall buffers accept-queue)

case "$*" in
  "") into=docs/src/pictures ;;
  --check) into=$(mktemp -d) && trap 'rm -r "$into"' EXIT ;;
  *)
    echo "pictures.sh: expected nothing or --check, got: $*" >&2
    exit 2
    ;;
esac

for name in "${pictures[@]}"; do
  scripts/demo.sh "$name" --picture "$into/$name.svg" >"$into/said" || {
    cat "$into/said"
    exit 1
  }
  rm "$into/said"
done
# What strace saw of Python programs, once: see crates/timeline/tests/strace.rs.
timeline=(cargo run --quiet --bin timeline --)
recorded=crates/timeline/tests/strace
for name in "${recordings[@]}"; do
  traces=("$recorded/$name".{client,server}.strace)
  [[ ! -e $recorded/$name.relay.trace ]] || traces+=(--via "$recorded/$name.relay.trace")
  [[ $name != *lines ]] || traces+=(--framing lines)
  "${timeline[@]}" "${traces[@]}" --direction to-server --svg "$into/$name.svg" >"$into/said" || {
    cat "$into/said"
    exit 1
  }
  rm "$into/said"
done
# What scripts/record.sh recorded, once: ladders of calls and segments, and what was where after each step.
recorded=crates/timeline/tests
draw() {
  "${timeline[@]}" "${@:2}" --svg "$into/$1.svg" >"$into/said" || {
    cat "$into/said"
    exit 1
  }
  rm "$into/said"
}
ladders=$recorded/ladder
draw handshake --ladder steps $ladders/handshake.{client,server}.strace --via $ladders/handshake.wire.trace
draw stall --ladder time --exchange 3 $ladders/{two-writes,one-write}.{client,server}.strace \
  --via $ladders/two-writes.wire.trace --via $ladders/one-write.wire.trace
for name in buffers accept-queue; do
  draw "$name" --levels "$recorded/levels/$name.txt"
done
if [[ $into != docs/src/pictures ]]; then
  diff -ru docs/src/pictures "$into" || {
    echo "pictures.sh: a run draws something else today: if that is meant, run scripts/pictures.sh" >&2
    exit 1
  }
fi
echo "pictures: ${pictures[*]} ${recordings[*]} ${steps[*]}"
