#!/usr/bin/env bash
# Runs every test of the course: scripts/test.sh [arguments for cargo test]
# Needs cargo and nothing else. Where there is no python3, the tests against Python programs are skipped.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if ! command -v cargo >/dev/null; then
  echo "test.sh: cargo is not installed: see https://rustup.rs" >&2
  exit 1
fi
if ! command -v python3 >/dev/null; then
  echo "test.sh: python3 is not installed: the tests against Python programs are skipped" >&2
fi

# Tests start the programs of other packages, and cargo test builds only those of the package it tests.
cargo build --workspace --bins
exec cargo test --workspace "$@"
