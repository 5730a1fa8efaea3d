#!/usr/bin/env -S bash -p
# Proves a backup by restoring it; see --help and docs/restore.md.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/verify_restore.sh [--latest|--backup ID] [--cluster] [--json]

  --latest     the newest dump (the default); --backup ID: that one
  --cluster    into a server of its own, made from nothing with the backup's roles: what a new machine would find

Checks the sums, restores into a scratch database, compares rows, digests, constraints, indexes, functions and rights with the
manifest, has pg_amcheck look at every table and index, drops the scratch, and records times and result in ops.restore_drill.
Exit status: 0 verified, 1 could not verify, 2 usage, 3 something of the platform's own differs, and what.
TEXT
}

# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=node.sh disable=SC1091
source "$REPO_ROOT/scripts/node.sh"

for arg; do
  case $arg in
    -h | --help) usage; exit 0 ;;
  esac
done
backups verify "$@"
