#!/usr/bin/env bash
# Runs experiments on the course's real programs.
#
#   scripts/demo.sh             lists them
#   scripts/demo.sh sticky      runs one, or several by name
#   scripts/demo.sh --all       runs all, and ends with a table of verdicts
#   scripts/demo.sh --help      says what else there is
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

case "$*" in
  "") arguments=(list) ;;
  -h | --help) arguments=(run --help) ;;
  *) arguments=(run "$@") ;;
esac

# The main experiments need only two of the programs: on a fresh clone that is the shorter wait.
case "$*" in
  "" | -h | --help) build=(--bin demo) last=demo ;;
  sticky | case[12]) build=(--bin demo --bin 'sticky-packet-repro-*') last=sticky-packet-repro-server ;;
  *) build=(--bins) last=udp-basic-server ;;
esac

if ! command -v cargo >/dev/null; then
  echo "demo.sh: cargo is not installed: see https://rustup.rs" >&2
  exit 1
fi
# From here on in the root, where cargo finds the toolchain; the experiment itself runs where you are.
programs=$(cd "$root" && mkdir -p "${CARGO_TARGET_DIR:-target}" && cd "${CARGO_TARGET_DIR:-target}" && pwd)/debug
if [[ -x $programs/$last ]]; then
  build+=(--quiet)
elif [[ -x $programs/demo ]]; then
  echo "demo.sh: compiling the other programs first" >&2
else
  echo "demo.sh: compiling first; this happens once" >&2
fi
(cd "$root" && cargo build "${build[@]}") >&2
exec "$programs/demo" "${arguments[@]}"
