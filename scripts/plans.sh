#!/usr/bin/env -S bash -p
# How PostgreSQL runs the queries of docs/plans.md; see --help.
[ -n "${BASH_VERSION:-}" ] || exec bash -p -- "$0" "$@"
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/node.sh"
run_built bench/plans.js "$@"
