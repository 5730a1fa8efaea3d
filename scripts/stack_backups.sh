# shellcheck shell=bash
# The backup job of the local stack, and the archiving that it builds on; sourced by stack.sh.

BACKUPS_LOG=$STACK_DIR/logs/backups.log

backups_wanted() { [[ -n ${STATE[BACKUPS]:-} ]]; }

# backups_wal_dir: by default where the server's user can write, whoever that is.
backups_wal_dir() {
  local dir
  dir=$(setting BACKUP_WAL_DIR "$DATA_DIR/wal") || exit
  absolute_path BACKUP_WAL_DIR "$dir" "$REPO_ROOT"
}

# backups_conf: PostgreSQL's settings for it, a part of machine.conf.
backups_conf() {
  backups_wanted || return 0
  local command
  command="sh $(shell_quote "$PG_DIR/wal_archive.sh") \"%p\" \"%f\""
  command+=" $(dir=$(backups_wal_dir) && shell_quote "${dir//%/%%}")"
  cat <<CONF
archive_mode = on
archive_timeout = 60s # at most a minute of work is on this disk only
archive_command = '${command//\'/\'\'}'
CONF
}

# backups_prepare: before the server starts.
backups_prepare() {
  backups_wanted || return 0
  local dir
  dir=$(backups_wal_dir)
  make_server_dir "$dir" postgres
  "${PG_AS[@]}" test -w "$dir" || die "PostgreSQL's user cannot write in $dir; set BACKUP_WAL_DIR to a directory that it can"
  put_file PG_AS "$PG_DIR/wal_archive.sh" <"$REPO_ROOT/scripts/wal_archive.sh"
}

backups_start() {
  backups_wanted || return 0
  running backups && return
  local settings
  if ! command -v node >/dev/null || [[ ! -e $REPO_ROOT/dist/app/backups.js ]]; then
    note 'no backups are made: nothing is built yet; run: scripts/bootstrap.sh, then: scripts/stack.sh up'
    return
  fi
  settings=$(cmd_env)
  (
    eval "$settings"
    spawn "$STACK_DIR/run/backups.pid" "$BACKUPS_LOG" node "$REPO_ROOT/dist/app/backups.js" loop
  )
  note "backups are made; their log: $BACKUPS_LOG"
}

backups_stop() { stop_process "$STACK_DIR/run/backups.pid" 'backup job' TERM 60 KILL 5; }

cmd_backups() { # on|off
  check_owner backups "$@"
  [[ -e $STACK_DIR/state ]] || die "there is no stack in $STACK_DIR yet; start it with: scripts/stack.sh up"
  check_settings
  take_lock
  if ! attach || ! running postgres; then die "the stack in $STACK_DIR is not running; start it with: scripts/stack.sh up"; fi
  local before=${STATE[BACKUPS]:-}
  STATE[BACKUPS]=''
  [[ $1 == off ]] || STATE[BACKUPS]=1
  save_state
  backups_stop
  if [[ $before != "${STATE[BACKUPS]}" ]]; then
    note 'restarting PostgreSQL, because archiving begins and ends with a start; workers wait for it'
    pg_stop
    pg_start
    pg_wait
  fi
  backups_start
}
