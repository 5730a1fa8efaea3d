#!/usr/bin/env -S bash -p
# Proves a backup by restoring it; see --help and docs/restore.md.
[ -n "${BASH_VERSION:-}" ] || exec bash -p -- "$0" "$@"
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/node.sh"
run_built app/backups.js verify "$@"
