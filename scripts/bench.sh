#!/usr/bin/env -S bash -p
# Measures loading, serving and settings on the local stack, in databases and a vhost of the bench's own; --help says how.
[ -n "${BASH_VERSION:-}" ] || exec bash -p -- "$0" "$@"
set -euo pipefail

# Before we make the machine busy ourselves.
read -r BENCH_LOAD_AVERAGE _ </proc/loadavg
BENCH_CWD=$PWD # what a relative --json is relative to
export BENCH_LOAD_AVERAGE BENCH_CWD

source "$(dirname -- "${BASH_SOURCE[0]}")/node.sh"

# R4 compares with psycopg2; where root runs us it is fetched, everyone else is told what is missing.
get_psycopg2() {
  local python
  for python in python3 /usr/bin/python3; do
    if "$python" -c 'import psycopg2.extras' 2>/dev/null; then return; fi
  done
  ((EUID != 0)) || (apt_install python3-psycopg2) || true
}

[[ -z ${STACK_DIR:-} ]] || STACK_DIR=$(absolute_path STACK_DIR "$STACK_DIR" "$PWD")
STACK_DIR=$(realpath -m -- "${STACK_DIR:-$REPO_ROOT/.local/stack}")
export STACK_DIR
cd -- "$REPO_ROOT"
require_node
npm_install
build
bench=(node --enable-source-maps dist/bench/main.js)
for arg; do [[ $arg != --help && $arg != -h ]] || exec "${bench[@]}" "$@"; done
(($#)) || { "${bench[@]}" --help >&2 || true; exit 2; }

[[ ! -d $STACK_DIR || -O $STACK_DIR ]] ||
  die "the stack in $STACK_DIR belongs to $(stat -c %U -- "$STACK_DIR"); run the bench as that user"
# One bench at a time: two would measure each other.
make_own_dir "$REPO_ROOT/.local"
exec 8>.local/bench.lock
flock -n 8 || die "another bench is at work here; find it with: fuser -v '$REPO_ROOT/.local/bench.lock'"
[[ $1 != load || ($* == *--only* && $* != *R4*) ]] || get_psycopg2
exec "${bench[@]}" "$@"
