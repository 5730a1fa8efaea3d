#!/usr/bin/env -S bash -p
# The schema of a database as SQL that stays the same until the schema changes: made for db/schema.sql, which shows in one
# place, and in every diff, what the migrations add up to.
[ -n "${BASH_VERSION:-}" ] || exec bash -p -- "$0" "$@"
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/schema_dump.sh [--catalogue]

Prints the schema of the database that PGHOST, PGPORT, PGUSER, PGPASSWORD and PGDATABASE name, with rights, without owners
and without what pg_dump's minor version decides. db/schema.sql is its output for a freshly migrated database on
PostgreSQL 15. With --catalogue it prints what `payments migrate verify` compares a database with, an object a line and the
same on every version: db/catalogue.txt. To renew both:

  scripts/stack.sh up && eval "$(scripts/stack.sh env)"
  createdb --owner payments_owner schema_dump
  POSTGRES_DB=schema_dump node dist/app/main.js migrate up
  PGDATABASE=schema_dump scripts/schema_dump.sh >db/schema.sql
  PGDATABASE=schema_dump scripts/schema_dump.sh --catalogue >db/catalogue.txt
  dropdb schema_dump
TEXT
}

source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

case ${1:-} in
  '' | --catalogue) ;;
  -h | --help) usage; exit 0 ;;
  *) usage >&2; exit 2 ;;
esac

export LC_ALL=C PGCONNECT_TIMEOUT=10
command -v psql >/dev/null || die 'psql is missing; install: postgresql-client'
version=$(psql -XAtc 'SHOW server_version_num') || die 'PostgreSQL does not answer; the reason is above'
major=$((version / 10000))

if [[ ${1:-} == --catalogue ]]; then
  echo '-- What db/migrations add up to, as db/queries/catalogue.sql words it: kind, part of, name, definition. Made by'
  echo '-- scripts/schema_dump.sh --catalogue, compared by a test: change a migration, not this.'
  PGOPTIONS='-c search_path=pg_catalog' psql -XAtq -F $'\t' -v ON_ERROR_STOP=1 -f "$REPO_ROOT/db/queries/catalogue.sql"
  exit
fi

# The server's own pg_dump where it is installed: another major version words things differently.
pg_dump=/usr/lib/postgresql/$major/bin/pg_dump
[[ -x $pg_dump ]] || pg_dump=$(command -v pg_dump) || die "pg_dump is missing; install: postgresql-client-$major"

echo '-- What db/migrations add up to. Made by scripts/schema_dump.sh, compared by a test: change a migration, not this.'
echo
# Comments, session settings, \restrict lines and runs of blank lines go.
"$pg_dump" --schema-only --no-owner |
  sed -E '/^--/d; /^\\(un)?restrict /d; /^SET [a-z_]+ = .*;$/d; /^SELECT pg_catalog\.set_config\(/d' |
  cat -s | sed '1{/^$/d}; ${/^$/d}'
