#!/usr/bin/env bash
# Gradescope runs this once, as root, when the image of the autograder is built: an Ubuntu, with the zip in
# /autograder/source. It installs what is missing and builds the checker.
#
# AUTOGRADER replaces /autograder, for tests. Then nothing is installed, and no user is created.
set -euo pipefail
autograder=${AUTOGRADER:-/autograder}

if [[ $autograder == /autograder ]]; then
  # For the checker, and for submissions in Rust and Python. For another language, add its compiler here.
  apt-get update
  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    ca-certificates curl gcc libc6-dev python3 util-linux
  # Where every user finds it.
  export RUSTUP_HOME=/usr/local/rustup CARGO_HOME=/usr/local/cargo PATH=/usr/local/cargo/bin:$PATH
  if ! command -v cargo >/dev/null; then
    curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs |
      sh -s -- -y --no-modify-path --profile minimal --default-toolchain stable
  fi
  # The course's toolchain file also asks for tools that only its authors need.
  export RUSTUP_TOOLCHAIN=stable
  # The submissions run as this user, who owns nothing else.
  id student >/dev/null 2>&1 || useradd --create-home --shell /usr/sbin/nologin student
  # Root only: a submission has no business with the solutions or the results.
  chmod 700 "$autograder/source"
fi

cd "$autograder/source/course"
# Not optimised, as on a student's own machine, so that both give the same result.
cargo build --locked --bin lab
mkdir -p "$autograder/bin"
install -m 755 "${CARGO_TARGET_DIR:-target}/debug/lab" "$autograder/bin/lab"
