#!/usr/bin/env bash
# Makes what the book's playground loads, in docs/src/playground/. scripts/book.sh calls it.
#
#   engine.js     the course's own decoder and pictures, compiled to WebAssembly, in base64 inside a script, because a page
#                 that was opened as a file can't load a .wasm file
#   steps.js      the script that steps through a run; it's `timeline`'s
#   runs.js       the recordings, in base64, so that nothing in them means anything to JavaScript
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

into=docs/src/playground
recorded=crates/timeline/tests

if ! command -v cargo >/dev/null; then
  echo "playground.sh: cargo is not installed: see https://rustup.rs" >&2
  exit 1
fi
if ! cargo build --quiet -p playground-wasm --profile wasm --target wasm32-unknown-unknown; then
  echo "playground.sh: could not compile to WebAssembly: is the target installed? rustup target add wasm32-unknown-unknown" >&2
  exit 1
fi
wasm=${CARGO_TARGET_DIR:-target}/wasm32-unknown-unknown/wasm/playground_wasm.wasm
printf 'const ENGINE = "%s";\n' "$(base64 <"$wasm" | tr -d '\n')" >"$into/engine.js"
cp crates/timeline/src/page/steps.js "$into/steps.js"
{
  echo 'const RUNS = {'
  for file in "$into"/runs/* "$recorded"/strace/{desk,desk-lines,udp}.{client,server}.strace \
    "$recorded"/ladder/{handshake,two-writes}.{client,server}.strace "$recorded"/ladder/handshake.wire.trace; do
    printf '  "%s": "%s",\n' "$(basename "$file")" "$(base64 <"$file" | tr -d '\n')"
  done
  echo '};'
} >"$into/runs.js"
