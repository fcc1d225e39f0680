#!/usr/bin/env bash
# The labs: programs to write, and a hostile peer that judges them.
#
#   scripts/lab.sh                       lists them, and your progress in each
#   scripts/lab.sh start echo my-echo    makes a folder with a program to start from
#   scripts/lab.sh check my-echo         checks it
#   scripts/lab.sh --help                shows the other commands
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

[[ $# -gt 0 ]] || set -- list

if ! command -v cargo >/dev/null; then
  echo "lab.sh: cargo is not installed: see https://rustup.rs" >&2
  exit 1
fi
# cargo runs in the root, where it finds the toolchain; the lab itself runs where you are.
programs=$(cd "$root" && mkdir -p "${CARGO_TARGET_DIR:-target}" && cd "${CARGO_TARGET_DIR:-target}" && pwd)/debug
build=(--bin lab)
if [[ -x $programs/lab ]]; then
  build+=(--quiet)
else
  echo "lab.sh: compiling first; this happens once" >&2
fi
(cd "$root" && cargo build "${build[@]}") >&2
exec "$programs/lab" "$@"
