#!/usr/bin/env bash
# Makes what the book's playground loads, in docs/src/playground/. scripts/book.sh calls it.
#
#   engine.js     the course's own decoder and pictures, compiled to WebAssembly, in base64 inside a script, because a page
#                 that was opened as a file can't load a .wasm file
#   steps.js      the script that steps through a run; it's `timeline`'s
#   runs.js       the recordings that the situations name, in base64, so that nothing in them means anything to JavaScript
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

into=docs/src/playground
page=docs/src/playground.md
target=${CARGO_TARGET_DIR:-target}

main() {
  local names name text
  prepare
  # Said here, because cargo's configuration may name another folder.
  cargo build --quiet -p playground-wasm --profile wasm --target wasm32-unknown-unknown --target-dir "$target"
  # Each text is assigned before it's printed: in an argument of printf, a failure would go unnoticed.
  text=$(in_base64 "$target/wasm32-unknown-unknown/wasm/playground_wasm.wasm")
  printf 'const ENGINE = "%s";\n' "$text" >"$into/engine.js"
  cp crates/timeline/src/page/steps.js "$into/steps.js"
  # A table has one row, two lines below its heading. The names are in its first cell.
  names=$(sed -n '/^| recording |/{n;n;s/^| \([^|]*\) |.*/\1/p;}' "$page")
  {
    echo 'const RUNS = {'
    for name in $names; do
      text=$(recording "$name")
      printf '  "%s": "%s",\n' "$name" "$text"
    done
    echo '};'
  } >"$into/runs.js"
}

prepare() {
  local libraries
  command -v cargo >/dev/null || complain "cargo is not installed: see https://rustup.rs"
  libraries=$(rustc --print target-libdir --target wasm32-unknown-unknown)
  [[ -d $libraries ]] || complain "Rust's target for WebAssembly is not installed: rustup target add wasm32-unknown-unknown"
}

recording() {
  local folder
  for folder in "$into/runs" crates/timeline/tests/{strace,ladder}; do
    if [[ -e $folder/$1 ]]; then
      in_base64 "$folder/$1"
      return
    fi
  done
  complain "$page names a recording that's in none of its folders: $1"
}

in_base64() {
  base64 <"$1" | tr -d '\n'
}

complain() {
  echo "playground.sh: $1" >&2
  exit 1
}

main
