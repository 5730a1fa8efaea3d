#!/usr/bin/env bash
# Roles, database and data lake, by db/roles.sql and db/datalake.sql, on the server that PGHOST and PGPASSWORD name; any number of times. Each variable
# ROLES_X of the environment becomes the psql variable x.
set -euo pipefail

# Passwords reach psql on standard input: arguments would show in process lists.
{
  for name in "${!ROLES_@}"; do
    value=${!name}
    [[ -n $value && $value != *$'\n'* ]] || { echo "$0: $name is empty or has several lines" >&2; exit 1; }
    value=${value//\\/\\\\} value=${value//\'/\'\'} # as psql reads it between single quotes
    variable=${name#ROLES_}
    printf "\\\\set %s '%s'\n" "${variable,,}" "$value"
  done
  cat /etc/payments/roles.sql
  printf '\\connect datalake\n'
  cat /etc/payments/datalake.sql
} | psql -Xq --no-password --set=ON_ERROR_STOP=1 --username=postgres --dbname=postgres
