#!/usr/bin/env -S bash -p
# Restores a backup of the payments database; see --help and docs/restore.md.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/restore.sh --list [--json]
       scripts/restore.sh [--latest|--backup ID] [--into DB] [--dry-run] [--force] [--json]
       scripts/restore.sh --to-time TIME --data DIR [--json]

  --list         the backups, newest first
  --latest       the newest dump (the default); --backup ID: that one
  --into DB      database to make or replace (default POSTGRES_DB)
  --dry-run      check the backup's sums, the versions, the roles and the target; change nothing
  --force        replace a database that is not empty. Its name must be typed, and it is renamed, not dropped
  --to-time TIME the whole cluster as it was at TIME (2026-01-31T12:00:00Z), from a base backup and the archived WAL
  --data DIR     where to put that cluster: a new data directory, which no running server knows

A dump is restored beside its target, compared with its manifest, and takes the target's name only then: whatever goes wrong
leaves the target as it was. What is not the platform's own and does not come back is named, and no failure. Exit status: 0 ok,
1 failed, 2 usage, 3 the backup is not what it was, 130 interrupted.
TEXT
}

# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=node.sh disable=SC1091
source "$REPO_ROOT/scripts/node.sh"

command=restore args=()
for arg; do
  case $arg in
    -h | --help) usage; exit 0 ;;
    --list) command=list ;;
    --to-time | --to-time=*) command=to-time args+=("$arg") ;;
    *) args+=("$arg") ;;
  esac
done
backups "$command" "${args[@]}"
