#!/usr/bin/env bash
# Opens the pages that `timeline` writes in a real browser, steps through them, and checks that everything is in its place.
#
#   scripts/browser-test.sh     needs node with npm, and chromium (Debian: apt-get install nodejs npm chromium);
#                               CHROMIUM names another browser of its family
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

for tool in cargo node npm; do
  if ! command -v "$tool" >/dev/null; then
    echo "browser-test.sh: $tool is not installed" >&2
    exit 1
  fi
done
if ! CHROMIUM=$(command -v "${CHROMIUM:-chromium}"); then
  echo "browser-test.sh: no browser: install chromium, or set CHROMIUM to one of its family" >&2
  exit 1
fi
export CHROMIUM

cd "$root"
cargo build --quiet --bin timeline --bin sticky-packet-repro-server --bin sticky-packet-repro-client
PROGRAMS=$(mkdir -p "${CARGO_TARGET_DIR:-target}" && cd "${CARGO_TARGET_DIR:-target}" && pwd)/debug
export PROGRAMS
cd crates/timeline/tests/browser
npm ci --silent --no-audit --no-fund
node test.js
