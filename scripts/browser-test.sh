#!/usr/bin/env bash
# Opens in a real browser what readers see, and uses it as they do.
#
#   scripts/browser-test.sh              all of it
#   scripts/browser-test.sh timeline     the pages that `timeline` writes
#   scripts/browser-test.sh book         every page of the book, and its playground; needs mdbook, too
#
# Needs node with npm, and chromium (Debian: apt-get install nodejs npm chromium); CHROMIUM names another browser of its family.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

main() {
  case "$*" in
    "" | timeline | book) ;;
    *) complain "expected nothing, timeline or book, got: $*" ;;
  esac
  local tool
  for tool in cargo node npm; do
    command -v "$tool" >/dev/null || complain "$tool is not installed"
  done
  CHROMIUM=$(command -v "${CHROMIUM:-chromium}") || complain "no browser: install chromium, or set CHROMIUM to one of its family"
  export CHROMIUM
  npm ci --prefix tests/browser --silent --no-audit --no-fund
  [[ ${1:-} == book ]] || timeline
  [[ ${1:-} == timeline ]] || book
}

timeline() {
  cargo build --quiet --bin timeline --bin sticky-packet-repro-server --bin sticky-packet-repro-client
  PROGRAMS=$(mkdir -p "${CARGO_TARGET_DIR:-target}" && cd "${CARGO_TARGET_DIR:-target}" && pwd)/debug
  PROGRAMS=$PROGRAMS node tests/browser/timeline.js
}

book() {
  scripts/book.sh --build
  node tests/browser/book.js
  node tests/browser/playground.js
}

complain() {
  echo "browser-test.sh: $1" >&2
  exit 1
}

main "$@"
