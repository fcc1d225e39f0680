#!/usr/bin/env bash
# How fast the course's programs are: each compared with its peers, in the same run.
#
#   scripts/bench.sh                     measures everything, in some ten minutes
#   scripts/bench.sh servers --quick     shows in a moment that it works
#   scripts/bench.sh all --page          measures everything, and puts it on the page about speed
#   scripts/bench.sh --help              shows the other options
#
# A package of its own, with peers such as tokio: neither the course nor its tests build it.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

if ! command -v cargo >/dev/null; then
  echo "bench.sh: cargo is not installed: see https://rustup.rs" >&2
  exit 1
fi

arguments=() page=
for argument in "$@"; do
  if [[ $argument == --page ]]; then page=yes; else arguments+=("$argument"); fi
done

programs=$(cd "$root" && mkdir -p "${CARGO_TARGET_DIR:-target}" && cd "${CARGO_TARGET_DIR:-target}" && pwd)/release
[[ -x $programs/relay ]] || echo "bench.sh: compiling with optimisation first; this happens once" >&2
(cd "$root" && cargo build --quiet --release --bin threaded-server --bin fix-struct-prefix-server --bin relay) >&2
(cd "$root/bench" && CARGO_TARGET_DIR=$root/bench/target cargo build --quiet --release) >&2
bench=("$root/bench/target/release/bench" --programs "$programs" "${arguments[@]}")

if [[ -z $page ]]; then
  exec "${bench[@]}"
fi
"${bench[@]}" --svg "$root/docs/src/speed" >"$root/bench/results.txt"
cd "$root"
# The page shows the rows that have a goal; the rest is in the file.
sed '/^All ratios/,$d' bench/results.txt >bench/goals.txt
cat bench/results.txt
cargo run --quiet --bin sync-docs
