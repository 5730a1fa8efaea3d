# shellcheck shell=bash
# PostgreSQL of the local stack; sourced by stack.sh, which sets STACK_DIR, DATA_DIR and STATE.
#
# TCP on loopback only: a Unix socket's path may not exceed 107 bytes, and a checkout's path easily does.

PG_DIR=-
PG_LOG=$STACK_DIR/logs/postgres-start.log # what the server says before its own log, in PG_DIR/log, is open

pg_bins() { # newest first: every installed server's programs
  local dir
  for dir in /usr/lib/postgresql/*/bin; do
    [[ -x $dir/postgres && -x $dir/initdb && -x $dir/psql ]] && printf '%s\n' "$dir"
  done | sort -rV
}

# pg_setup: where things are, and PG_AS, the command prefix under which the server's programs run.
pg_setup() {
  PG_DIR=$DATA_DIR/postgres
  PG_CLIENTS=$(pg_bins | head -n 1)
  PG_BIN=${STATE[POSTGRES_BIN]:-$PG_CLIENTS}
  run_as "$(server_user postgres)"
  PG_AS=("${RUN_AS[@]}" "HOME=$PG_DIR")
}

pg_answers() { "$PG_CLIENTS/pg_isready" -q -t 3 -h 127.0.0.1 -p "${STATE[POSTGRES_PORT]}" -U postgres -d postgres; }

pg_end_strays() { # backends outlive a killed server until they notice
  end_strays PG_AS "$PG_DIR/data" postgres INT QUIT
}

pg_init() {
  note "creating the database cluster in $PG_DIR"
  local out
  # Built aside and renamed when whole: an initdb that was killed leaves nothing that looks like a cluster.
  "${PG_AS[@]}" rm -rf -- "$PG_DIR/data.new"
  put_file PG_AS "$PG_DIR/.superuser" <"$STACK_DIR/secrets/postgres_password"
  out=$("${PG_AS[@]}" "$PG_BIN/initdb" -D "$PG_DIR/data.new" -U postgres --pwfile="$PG_DIR/.superuser" \
    --auth-local=scram-sha-256 --auth-host=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 --lc-collate=C \
    --data-checksums 2>&1) || die "initdb failed in $PG_DIR: ${out//$'\n'/; }"
  "${PG_AS[@]}" rm -f -- "$PG_DIR/.superuser"
  "${PG_AS[@]}" mv -- "$PG_DIR/data.new" "$PG_DIR/data"
}

# pg_machine_conf: what depends on this place and this machine. Sizes follow the memory and cores in sight;
# STACK_MEMORY_MB makes them smaller where several stacks share a machine.
pg_machine_conf() {
  local -i mb cores
  mb=$(setting STACK_MEMORY_MB "$(memory_mb)") cores=$(nproc)
  cat <<CONF
# Written by scripts/stack.sh at every start, for $mb MB of memory and $cores cores.
listen_addresses = '127.0.0.1'
port = ${STATE[POSTGRES_PORT]}
unix_socket_directories = ''
logging_collector = on
log_directory = '../log'
log_filename = 'postgresql-%a.log' # a week of logs, each day overwriting last week's
log_rotation_age = 1d
log_rotation_size = 0
log_truncate_on_rotation = on
shared_buffers = $(clamp $((mb / 4)) 128 1024)MB # more made loading slower: docs/tuning.md
effective_cache_size = $(clamp $((mb / 2)) 256 65536)MB
maintenance_work_mem = $(clamp $((mb / 16)) 64 1024)MB
autovacuum_work_mem = $(clamp $((mb / 64)) 32 256)MB
work_mem = $(clamp $((mb / 256)) 8 128)MB
max_wal_size = $(clamp $((mb / 4)) 1024 4096)MB
max_worker_processes = $(clamp $((cores * 2)) 8 64)
max_parallel_workers = $cores
max_parallel_workers_per_gather = $(clamp $((cores / 2)) 0 4)
max_parallel_maintenance_workers = $(clamp $((cores / 2)) 0 4)
CONF
  # lz4 is cheaper than pglz; only the server itself knows whether it was built in.
  if "${PG_AS[@]}" "$PG_BIN/postgres" -C wal_compression -D "$PG_DIR/data" -c wal_compression=lz4 >/dev/null 2>&1; then
    echo "wal_compression = 'lz4'"
  fi
  backups_conf
}

pg_start() {
  local version pid
  make_server_dir "$PG_DIR" postgres
  "${PG_AS[@]}" mkdir -p "$PG_DIR/log"
  backups_prepare
  if "${PG_AS[@]}" test -e "$PG_DIR/data/PG_VERSION"; then
    version=$("${PG_AS[@]}" cat "$PG_DIR/data/PG_VERSION")
    if [[ -z ${STATE[POSTGRES_BIN]:-} ]]; then PG_BIN=/usr/lib/postgresql/$version/bin; fi
    [[ -x $PG_BIN/postgres ]] || die "the data in $PG_DIR is of PostgreSQL $version, which is not installed; run: apt-get install postgresql-$version"
  else
    pg_init
  fi
  # A pid left by a crash may belong to someone else by now; PostgreSQL would take that for a running server.
  pid=$("${PG_AS[@]}" head -n 1 "$PG_DIR/data/postmaster.pid" 2>/dev/null) && [[ $pid =~ ^[0-9]+$ && -e /proc/$pid ]] &&
    "${PG_AS[@]}" rm -f -- "$PG_DIR/data/postmaster.pid"
  put_file PG_AS "$PG_DIR/data/base.conf" <"$REPO_ROOT/db/postgresql.conf"
  pg_machine_conf | put_file PG_AS "$PG_DIR/data/machine.conf"
  printf "# Later files win. For changes of your own: ALTER SYSTEM, as postgres.\ninclude 'base.conf'\ninclude 'machine.conf'\n" |
    put_file PG_AS "$PG_DIR/data/postgresql.conf"
  note "starting PostgreSQL on 127.0.0.1:${STATE[POSTGRES_PORT]}"
  : >"$PG_LOG"
  spawn "$STACK_DIR/run/postgres.pid" "$PG_LOG" "${PG_AS[@]}" "$PG_BIN/postgres" -D "$PG_DIR/data"
}

# Crash recovery replays up to max_wal_size, so the limit is generous.
pg_wait() { wait_for postgres 300 pg_answers; }

# pg_provision: roles, database and data lake, at every `up`. Passwords reach psql on standard input: arguments would show in process lists.
pg_provision() {
  local name value out
  out=$({
    printf '\\set dbname %s\n' "${STATE[POSTGRES_DB]}"
    for name in admin loader reader exporter backup app lake; do
      value=$(<"$STACK_DIR/secrets/${name}_password")
      value=${value//\\/\\\\} value=${value//\'/\'\'} # for a password that was put there by hand
      printf "\\\\set %s_password '%s'\n" "$name" "$value"
    done
    cat "$REPO_ROOT/db/roles.sql"
    printf '\\connect datalake\n'
    cat "$REPO_ROOT/db/datalake.sql"
  } | PGPASSWORD=$(<"$STACK_DIR/secrets/postgres_password") PGCONNECT_TIMEOUT=10 \
    "$PG_CLIENTS/psql" -Xq -h 127.0.0.1 -p "${STATE[POSTGRES_PORT]}" -U postgres -d postgres 2>&1) ||
    die "cannot set up roles and database: ${out//$'\n'/; }; if $STACK_DIR/secrets was lost, start anew: scripts/stack.sh reset --yes"
}

pg_stop() { # fast: ends sessions and writes a checkpoint; immediate only if that hangs
  stop_process "$STACK_DIR/run/postgres.pid" PostgreSQL INT 120 QUIT 20 KILL 10
  pg_end_strays
}
