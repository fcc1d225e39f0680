#!/usr/bin/env bash
# Runs once, when a machine for the course has just been made: see devcontainer.json.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

root=()
[[ $EUID == 0 ]] || root=(sudo)
"${root[@]}" apt-get update -qq
"${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3 strace >/dev/null
cargo build --quiet --bins
echo "Ready. Begin with: scripts/demo.sh sticky"
