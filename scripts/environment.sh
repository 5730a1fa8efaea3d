# shellcheck shell=bash
# What a user's shell says to other programs must not steer ours. Sourced by lib.sh, before anything else; servers and the
# programs of jobs/ get an environment of their own (run_as in stack_servers.sh, run in jobs/backup/postgres_tool.ts), node-postgres too
# (lib/postgres/environment.ts).

# A BASH_ENV that prints would print into what we read from our own scripts. In POSIX mode options after operands are files.
unset BASH_ENV ENV POSIXLY_CORRECT GREP_OPTIONS GREP_COLOR GREP_COLORS
# Options that were exported, and what a function called cd or grep would make of it.
set +o posix +o noclobber +o noglob +o allexport
shopt -u nullglob failglob dotglob nocaseglob nocasematch extdebug
export -n SHELLOPTS BASHOPTS
while read -r _ _ name; do unset -f "$name"; done < <(declare -Fx)
unset name
# Words and numbers that we read must be those that we know; sorting and [a-z] too.
export LC_ALL=C.UTF-8
# Where a client's PG* matter (plans.sh, schema_dump.sh, what `stack.sh env` prints), only those that name the database do:
# PGSSLMODE, PGOPTIONS, PGSERVICE, PGHOSTADDR and their like are about another one.
for name in "${!PG@}"; do
  case $name in
    PGHOST | PGPORT | PGUSER | PGPASSWORD | PGDATABASE) ;;
    *) unset "$name" ;;
  esac
done
unset name
