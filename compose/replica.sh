#!/usr/bin/env bash
# A streaming standby of the server that PGHOST, PGUSER and PGPASSWORD name, in PGDATA; arguments are the server's. An empty PGDATA is
# filled from the primary first. One that fell too far behind (max_slot_wal_keep_size) is made anew: remove container and volume.
set -euo pipefail

SLOT=replica # keeps the log that the standby has not read yet

if [[ ! -e $PGDATA ]]; then
  # That of an earlier copy may have lost what it kept, and nobody can stream by it any more.
  psql -Xq --no-password --set=ON_ERROR_STOP=1 --dbname=postgres --output=/dev/null \
    --command="SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = '$SLOT' AND NOT active" \
    --command="SELECT pg_create_physical_replication_slot('$SLOT', true)"
  # Beside its place first, so that half a copy is never taken for a whole one.
  rm -rf -- "$PGDATA.new"
  mkdir -p -- "${PGDATA%/*}"
  pg_basebackup --no-password --pgdata="$PGDATA.new" --wal-method=stream --slot="$SLOT" --checkpoint=fast
  touch -- "$PGDATA.new/standby.signal"
  mv -- "$PGDATA.new" "$PGDATA"
fi
# The password stays in the environment, where the receiver of the log finds it.
exec postgres "$@" -c "primary_conninfo=host=$PGHOST port=${PGPORT:-5432} user=$PGUSER application_name=$SLOT" \
  -c "primary_slot_name=$SLOT" -c hot_standby_feedback=on
