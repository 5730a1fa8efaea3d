# shellcheck shell=bash
# A read replica of the local stack's PostgreSQL, on the same machine: a streaming standby; sourced by stack.sh. It is wanted from
# `up --with-replica` on, until `up --without-replica`.

REPLICA_SLOT=replica # keeps the log that the replica has not read yet, as far as max_slot_wal_keep_size goes

replica_wanted() { [[ -n ${STATE[REPLICA]:-} ]]; }
replica_answers() { "$PG_CLIENTS/pg_isready" -q -t 3 -h 127.0.0.1 -p "${STATE[REPLICA_PORT]}" -U postgres -d postgres; }

replica_ask_primary() { # SQL
  PGPASSWORD=$(<"$STACK_DIR/secrets/postgres_password") PGCONNECT_TIMEOUT=10 \
    "$PG_CLIENTS/psql" -XqAt -h 127.0.0.1 -p "${STATE[POSTGRES_PORT]}" -U postgres -d postgres \
    -v ON_ERROR_STOP=1 -v slot="$REPLICA_SLOT" <<<"$1" || die "the primary refuses it; the reason is above"
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

# replica_least: options for what a standby must have no less of than its primary has now, and had when it wrote the log that is still to be
# replayed: PostgreSQL does not start it otherwise. Options, because they go before the postgresql.auto.conf that came with the copy.
replica_least() {
  {
    replica_ask_primary "SELECT name || ' setting: ' || setting FROM pg_settings"
    "${PG_AS[@]}" "$PG_BIN/pg_controldata" -D "$PG_DIR/replica"
  } | awk '
    { sub(/^max_prepared_xacts/, "max_prepared_transactions"); sub(/^max_locks_per_xact/, "max_locks_per_transaction") }
    $2 == "setting:" && /^max_(connections|worker_processes|wal_senders|prepared_transactions|locks_per_transaction) / {
      if (!($1 in least) || $3 > least[$1]) least[$1] = $3
    }
    END { for (name in least) print "--" name "=" least[name] }'
}

replica_start() {
  running replica && return
  local pass
  local -a least
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
  mapfile -t least < <(replica_least)
  note "starting the replica on 127.0.0.1:${STATE[REPLICA_PORT]}"
  : >"$STACK_DIR/logs/replica-start.log"
  "${PG_AS[@]}" rm -f -- "$PG_DIR/replica/postmaster.pid"
  spawn "$STACK_DIR/run/replica.pid" "$STACK_DIR/logs/replica-start.log" "${PG_AS[@]}" "$PG_BIN/postgres" -D "$PG_DIR/replica" "${least[@]}"
  wait_for replica 300 replica_answers
}

replica_stop() { stop_process "$STACK_DIR/run/replica.pid" 'the replica' INT 60 QUIT 20 KILL 10; }

# up_replica: starts what is wanted, removes what is not.
up_replica() {
  if replica_wanted; then
    running replica || choose_port REPLICA_PORT 5433
    save_state
    replica_start
  elif "${PG_AS[@]}" test -e "$PG_DIR/.replica_pass"; then # comes before slot and copy, and goes after them
    replica_stop
    replica_drop_slot
    "${PG_AS[@]}" rm -rf -- "$PG_DIR/replica" "$PG_DIR/replica.new"
    "${PG_AS[@]}" rm -f -- "$PG_DIR/.replica_pass"
  fi
}
