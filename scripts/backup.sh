#!/usr/bin/env -S bash -p
# Makes a backup of the payments database; see --help and docs/restore.md.
[ -n "${BASH_VERSION:-}" ] || exec bash -p -- "$0" "$@"
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/node.sh"
run_built app/backups.js backup "$@"
