#!/usr/bin/env -S bash -p
# Times scripts/backup.sh and scripts/verify_restore.sh against plain pg_dump -Fc and pg_restore, on the same data, in turns.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/backup_bench.sh [ROUNDS]

On the local stack's database as it is: each round (default 3) makes a plain dump (pg_dump -Fc), a backup, restores the plain
dump into a scratch database (pg_restore, and ANALYZE as the restore does), and drills the backup. Prints every time and
size, then the medians and their ratios. Everything that it makes is removed again.
TEXT
}

# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=node.sh disable=SC1091
source "$REPO_ROOT/scripts/node.sh"

rounds=3
case ${1:-} in
  '') ;;
  -h | --help) usage; exit 0 ;;
  *) [[ $1 =~ ^[1-9][0-9]?$ ]] || { usage >&2; exit 2; }; rounds=$1 ;;
esac
require_node
settings=$("$REPO_ROOT/scripts/stack.sh" env)
eval "$settings"
cd -- "$REPO_ROOT"

folder=$(mktemp -d) scratch=backup_bench_$$
export BACKUP_DIR=$folder/backups LOG_LEVEL=warn
times=$folder/times
# shellcheck disable=SC2317 # called by the trap
clean() {
  dropdb --if-exists --force 2>/dev/null "$scratch" || true
  rm -rf -- "$folder"
}
trap clean EXIT

timed() { # timed NAME COMMAND...: milliseconds of wall time
  local name=$1 started
  shift
  started=$(date +%s%3N)
  "$@" >/dev/null
  printf '%s %s\n' "$name" $(($(date +%s%3N) - started)) | tee -a "$times" >&2
}
size() { printf '%s %s\n' "$1" "$(du -sb -- "$2" | cut -f 1)" | tee -a "$times" >&2; }
plain_restore() {
  createdb --owner=payments_owner --template=template0 "$scratch"
  pg_restore --exit-on-error --no-owner --role=payments_owner --dbname="$scratch" "$folder/plain"
  PGOPTIONS='-c client_min_messages=error' psql -Xqd "$scratch" -c 'SET default_statistics_target = 25' -c ANALYZE
}

for ((round = 1; round <= rounds; round++)); do
  timed plain_dump_ms pg_dump --format=custom --file="$folder/plain"
  timed backup_ms node dist/app/backups.js backup
  timed plain_restore_ms plain_restore
  dropdb --force "$scratch"
  timed drill_ms node dist/app/backups.js verify
  node dist/app/backups.js verify --json | sed -n 's/^ *"restoreMs": \([0-9]*\),/restore_ms \1/p' | tee -a "$times" >&2
  size plain_bytes "$folder/plain"
  size backup_bytes "$(find "$BACKUP_DIR" -maxdepth 1 -name 'dump-*' | sort | tail -n 1)"
  rm -rf -- "${BACKUP_DIR:?}"/dump-*
done

median() { sed -n "s/^$1 //p" "$times" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
ratio() { awk -v a="$(median "$2")" -v b="$(median "$3")" -v n="$1" 'BEGIN { printf "%-44s %10d %10d   %.2f\n", n, a, b, a / b }'; }
printf '%-44s %10s %10s   %s\n' "median of $rounds" ours plain ratio
ratio 'backup, ms' backup_ms plain_dump_ms
ratio 'size, bytes' backup_bytes plain_bytes
ratio 'restore, ms' restore_ms plain_restore_ms
ratio 'restore, compared, pg_amcheck, dropped, ms' drill_ms plain_restore_ms
