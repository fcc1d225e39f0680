#!/usr/bin/env bash
# Runs every test of the course: scripts/test.sh
# Or some of them, with arguments for cargo test: scripts/test.sh --test zoo
# Needs cargo and nothing else. Without python3, the tests against Python programs are skipped.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# cargo test runs one test program after the other. Ours mostly wait, so a few run side by side.
AT_ONCE=3

main() {
  if ! command -v cargo >/dev/null; then
    echo "test.sh: cargo is not installed: see https://rustup.rs" >&2
    exit 1
  fi
  if ! command -v python3 >/dev/null; then
    echo "test.sh: python3 is not installed: the tests against Python programs are skipped" >&2
  fi
  # Tests start the programs of other packages, and cargo test builds only those of the package it tests.
  cargo build --workspace --bins
  if [[ $# -gt 0 ]]; then
    exec cargo test --workspace "$@"
  fi
  run_all
}

run_all() {
  local failed=0
  logs=$(mktemp -d)
  trap 'rm -rf "$logs"' EXIT
  export logs
  export -f run
  cargo test --workspace --no-run
  programs >"$logs/programs"
  if [[ ! -s $logs/programs ]]; then
    echo "test.sh: cargo named no test programs" >&2
    exit 1
  fi
  # Longest first, so that no long one is left over at the end.
  {
    grep -E '/(zoo|references)-' "$logs/programs"
    grep -vE '/(zoo|references)-' "$logs/programs"
  } | tr '\t\n' '\0\0' | xargs -0 -n 2 -P "$AT_ONCE" bash -c 'run "$@"' run || failed=1
  cargo test --workspace --doc || failed=1
  if [[ -s $logs/failed ]]; then
    echo "test.sh: failed: $(tr '\n' ' ' <"$logs/failed")" >&2
  fi
  return "$failed"
}

# A line for each test program: the folder of its package, which cargo test starts it in, and its file.
programs() {
  cargo test --workspace --no-run --message-format=json 2>/dev/null |
    sed -n 's|.*"manifest_path":"\([^"]*\)/Cargo.toml".*"profile":{[^}]*"test":true}.*"executable":"\([^"]*\)".*|\1	\2|p'
}

# Runs one, and prints all its output when it has ended, so that two that run side by side don't mix.
run() {
  local name status=0 start=$SECONDS
  name=$(basename "$2")
  (cd "$1" && exec env CARGO_MANIFEST_DIR="$1" "$2") >"$logs/$name" 2>&1 </dev/null || status=$?
  until mkdir "$logs/lock" 2>/dev/null; do
    [[ -d $logs ]] || exit 1
    sleep 0.05
  done
  echo "     Ran ${1##*/} ${name%-*} in $((SECONDS - start)) s"
  cat "$logs/$name"
  [[ $status == 0 ]] || echo "${1##*/}/${name%-*}" >>"$logs/failed"
  rmdir "$logs/lock"
  return "$status"
}

main "$@"
