#!/usr/bin/env -S bash -p
# Makes a backup of the payments database; see --help and docs/restore.md.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/backup.sh [--format directory|custom] [--json]
       scripts/backup.sh --base [--json]
       scripts/backup.sh --retain [--json]
       scripts/backup.sh --loop

  (nothing)  dumps the database: consistent while runs go on, with the digests of every table taken in the same snapshot
  --base     copies the whole cluster, for scripts/restore.sh --to-time; the server must archive its WAL
  --retain   removes backups and archived WAL whose time is over (BACKUP_KEEP_*)
  --loop     does all of it on time until SIGTERM; what `scripts/stack.sh up --with-backup` runs

A backup is a folder of BACKUP_DIR (default backups/), whole or not there at all. With BACKUP_ENCRYPT_TO a dump is encrypted to
a public key of age or gpg. Exit status: 0 ok, 1 failed, 2 usage, 130 interrupted.
TEXT
}

# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=node.sh disable=SC1091
source "$REPO_ROOT/scripts/node.sh"

command=backup args=()
for arg; do
  case $arg in
    -h | --help) usage; exit 0 ;;
    --retain | --loop) command=${arg#--} ;;
    *) args+=("$arg") ;;
  esac
done
backups "$command" "${args[@]}"
