# shellcheck shell=bash
# A read replica of the local stack's PostgreSQL, on the same machine: a streaming standby; sourced by stack.sh. It is wanted from
# `up --with-replica` on, until `up --without-replica`.

REPLICA_SLOT=replica # keeps the log that the replica has not read yet, as far as max_slot_wal_keep_size goes

replica_wanted() { [[ -n ${STATE[REPLICA]:-} ]]; }
replica_answers() { "$PG_CLIENTS/pg_isready" -q -t 3 -h 127.0.0.1 -p "${STATE[REPLICA_PORT]}" -U postgres -d postgres; }

replica_ask_primary() { # SQL
  PGPASSWORD=$(<"$STACK_DIR/secrets/postgres_password") PGCONNECT_TIMEOUT=10 \
    "$PG_CLIENTS/psql" -XqAt -h 127.0.0.1 -p "${STATE[POSTGRES_PORT]}" -U postgres -d postgres -v slot="$REPLICA_SLOT" <<<"$1"
}

# replica_copy: from the primary, built aside and renamed when whole. The slot comes first, or what is written meanwhile might be gone.
replica_copy() {
  local out
  note "copying the primary for the replica to $PG_DIR/replica"
  "${PG_AS[@]}" rm -rf -- "$PG_DIR/replica" "$PG_DIR/replica.new"
  replica_drop_slot
  replica_ask_primary "SELECT pg_create_physical_replication_slot(:'slot', true)" >/dev/null
  out=$("${PG_AS[@]}" "PGPASSFILE=$PG_DIR/.replica_pass" "$PG_BIN/pg_basebackup" --no-password -h 127.0.0.1 -p "${STATE[POSTGRES_PORT]}" \
    -U payments_backup --pgdata="$PG_DIR/replica.new" --wal-method=stream --slot="$REPLICA_SLOT" --checkpoint=fast 2>&1) ||
    die "the primary cannot be copied: ${out//$'\n'/; }"
  "${PG_AS[@]}" touch "$PG_DIR/replica.new/standby.signal"
  "${PG_AS[@]}" mv -- "$PG_DIR/replica.new" "$PG_DIR/replica"
}

replica_drop_slot() {
  replica_ask_primary "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = :'slot'" >/dev/null
}

replica_conf() { # its machine.conf: as the primary's, and then
  local pass=${PG_DIR//\\/\\\\}/.replica_pass
  pg_machine_conf
  cat <<CONF
port = ${STATE[REPLICA_PORT]}
log_filename = 'replica-%a.log'
archive_mode = off # the primary does it
primary_conninfo = 'host=127.0.0.1 port=${STATE[POSTGRES_PORT]} user=payments_backup application_name=$REPLICA_SLOT passfile=''$pass'''
primary_slot_name = '$REPLICA_SLOT'
hot_standby_feedback = on # a long read there is not cancelled for what the primary has vacuumed
CONF
}

replica_start() {
  running replica && return
  local pass
  end_strays PG_AS "$PG_DIR/replica" postgres INT QUIT
  pass=$(<"$STACK_DIR/secrets/backup_password")
  pass=${pass//\\/\\\\}
  printf '127.0.0.1:*:*:payments_backup:%s\n' "${pass//:/\\:}" | put_file PG_AS "$PG_DIR/.replica_pass"
  # Without its slot, or behind what the slot keeps, it would never come back: so after a recovery of the primary, too.
  if [[ $(replica_ask_primary "SELECT wal_status <> 'lost' FROM pg_replication_slots WHERE slot_name = :'slot'") != t ]] ||
    ! "${PG_AS[@]}" test -e "$PG_DIR/replica/PG_VERSION"; then
    replica_copy
  fi
  put_file PG_AS "$PG_DIR/replica/base.conf" <"$REPO_ROOT/db/postgresql.conf"
  replica_conf | put_file PG_AS "$PG_DIR/replica/machine.conf"
  note "starting the replica on 127.0.0.1:${STATE[REPLICA_PORT]}"
  : >"$STACK_DIR/logs/replica-start.log"
  "${PG_AS[@]}" rm -f -- "$PG_DIR/replica/postmaster.pid"
  spawn "$STACK_DIR/run/replica.pid" "$STACK_DIR/logs/replica-start.log" "${PG_AS[@]}" "$PG_BIN/postgres" -D "$PG_DIR/replica"
  wait_for replica 300 replica_answers
}

replica_stop() { stop_process "$STACK_DIR/run/replica.pid" 'the replica' INT 60 QUIT 20 KILL 10; }

# up_replica: starts what is wanted, removes what is not.
up_replica() {
  if replica_wanted; then
    running replica || choose_port REPLICA_PORT 5433
    save_state
    replica_start
  elif "${PG_AS[@]}" test -e "$PG_DIR/replica"; then
    replica_stop
    replica_drop_slot
    "${PG_AS[@]}" rm -rf -- "$PG_DIR/replica" "$PG_DIR/.replica_pass"
  fi
}
