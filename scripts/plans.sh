#!/usr/bin/env -S bash -p
# How PostgreSQL runs the queries of docs/plans.md, from the files in db/queries that hold them.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/plans.sh [--write | NAME [leaf=TABLE] [PARAMETER]...]

Prints docs/plans.md with its plans made anew: EXPLAIN (ANALYZE, BUFFERS) of each query that a line
<!-- plan NAME [leaf=TABLE] [PARAMETER]... --> names, on the database that PGHOST, PGPORT, PGUSER, PGPASSWORD and PGDATABASE
name. --write puts them into docs/plans.md. With a NAME, the plan of db/queries/NAME.sql alone. To renew the page:

  scripts/bootstrap.sh && eval "$(scripts/stack.sh env)"
  psql -c 'VACUUM (ANALYZE) txn, agg_merchant_day, agg_network_hour, account, merchant, terminal'
  scripts/plans.sh --write
TEXT
}

# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

PAGE=$REPO_ROOT/docs/plans.md
run_psql() { psql -XAtq -v ON_ERROR_STOP=1 "$@"; }

# plan NAME [leaf=TABLE] [PARAMETER]...: of the second of two executions, so that caches are warm.
plan() {
  local file=$REPO_ROOT/db/queries/$1.sql parameters='' arg
  local -a variables=()
  [[ -r $file ]] || die "there is no query $file"
  for arg in "${@:2}"; do
    [[ $arg =~ ^[A-Za-z0-9_=:.+-]+$ ]] || die "$1: '$arg' is neither leaf=TABLE nor a plain parameter"
    if [[ $arg == *=* ]]; then variables+=(-v "$arg"); else parameters+="${parameters:+, }'$arg'"; fi
  done
  [[ -z $parameters ]] || parameters="($parameters)"
  {
    echo 'PREPARE query AS'
    cat -- "$file"
    printf ';\n\\o /dev/null\nEXECUTE query %s;\n\\o\nEXPLAIN (ANALYZE, BUFFERS) EXECUTE query %s;\n' "$parameters" "$parameters"
  } | run_psql ${variables[@]+"${variables[@]}"} || die "no plan of $1; the reason is above"
}

database() { # what the plans were made on
  run_psql <<'SQL'
SELECT format('PostgreSQL %s, %s rows in %s months, %s with indexes; shared_buffers %s, work_mem %s, %s processes a query.',
              current_setting('server_version'), to_char(sum(c.reltuples), 'FM999,999,999,999'), count(*),
              pg_size_pretty(sum(pg_total_relation_size(c.oid))), current_setting('shared_buffers'),
              current_setting('work_mem'), 1 + current_setting('max_parallel_workers_per_gather')::integer)
FROM pg_inherits i
JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'payments.txn'::regclass
SQL
}

# page: docs/plans.md, with what stands between a mark and <!-- end --> made anew.
page() {
  local line made='' what fence='```'
  local -a words
  while IFS= read -r line; do
    [[ $line != '<!-- end -->' ]] || made=''
    [[ -n $made ]] || printf '%s\n' "$line"
    [[ $line =~ ^'<!-- '((plan|database).*)' -->'$ ]] || continue
    read -ra words <<<"${BASH_REMATCH[1]}"
    what=$("${words[@]}") || exit 1
    [[ ${words[0]} != plan ]] || what=$fence$'\n'$what$'\n'$fence
    printf '%s\n' "$what"
    made=1
  done <"$PAGE"
}

command -v psql >/dev/null || die 'psql is missing; install: postgresql-client'
export PGCONNECT_TIMEOUT=10
case ${1:-} in
  -h | --help) usage ;;
  '') page ;;
  --write)
    (($# == 1)) || die_usage "--write takes no arguments; see: scripts/plans.sh --help"
    text=$(page)
    printf '%s\n' "$text" >"$PAGE"
    ;;
  -*) usage >&2; exit 2 ;;
  *) plan "$@" ;;
esac
