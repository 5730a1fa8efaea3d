#!/usr/bin/env -S bash -p
# A PostgreSQL and a RabbitMQ of this project's own, from the system's packages, on loopback only.
[ -n "${BASH_VERSION:-}" ] || exec bash -p -- "$0" "$@"
set -euo pipefail
umask 022
unset "${!PG@}" # a client's settings must not steer our own psql and pg_isready

usage() {
  cat <<'TEXT'
Usage: scripts/stack.sh COMMAND

  up                install what is missing, start both servers, create roles, database, vhost and user
    --with-monitoring     Prometheus, Alertmanager and postgres_exporter too, from now on
    --without-monitoring  not any more
    --with-replica        a read replica of PostgreSQL too, from now on: POSTGRES_READ_HOSTS
    --without-replica     not any more; its copy is deleted
    --with-cluster        (or --cluster) two more nodes of RabbitMQ too, from now on: a cluster of three, RABBITMQ_HOST names them
    --without-cluster     not any more; their data is deleted
    --with-proxy          two nodes of campaigns behind HAProxy too, from now on; needs a build and a migrated database
    --without-proxy       not any more
  down              stop workers, services and servers; data and ports are kept
  status [--json]   what runs, where; exit 0 if all servers are up, else 1
  env               settings for any client: eval "$(scripts/stack.sh env)"
  logs [postgres|replica|rabbitmq|rabbitmq-2|rabbitmq-3|worker|services|gateway-simulator|reporter|campaigns|proxy|prometheus|alertmanager|postgres-exporter] [-f]
  rabbitmqctl ...   RabbitMQ's own tool, pointed at this stack
  backups on|off    dumps, base backups, WAL archiving and restore drills on time, while the stack is up; see docs/restore.md
  reset [--yes]     down, then delete data, passwords and logs

Settings, from the environment or .env:
  STACK_DIR         where everything lives (default .local/stack; environment only, relative to where you are)
  POSTGRES_PORT RABBITMQ_PORT RABBITMQ_MGMT_PORT RABBITMQ_PROMETHEUS_PORT
                    preferred ports (5432 5672 15672 15692); a free one is used where one is taken
  WORKER_METRICS_PORT PROMETHEUS_PORT ALERTMANAGER_PORT POSTGRES_EXPORTER_PORT
                    the same (9464 9090 9093 9187)
  REPLICA_PORT PROXY_PORT PROXY_NODE_1_PORT PROXY_NODE_2_PORT REPORTER_A_PORT REPORTER_B_PORT REPORTER_C_PORT
                    the same (5433 8088 8001 8002 5002 5010 5020)
  STACK_PORTS=free  take free ports from the start, as tests do (environment only)
  STACK_POSTGRES_BIN  where initdb and postgres are, for a server that is not Debian's; remembered (environment only)
  STACK_MEMORY_MB   size the servers for less than this machine's memory
  POSTGRES_DB       name of the database (default payments)
TEXT
}

source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
[[ -z ${STACK_DIR:-} ]] || STACK_DIR=$(absolute_path STACK_DIR "$STACK_DIR" "$PWD")
STACK_DIR=$(realpath -m -- "${STACK_DIR:-$REPO_ROOT/.local/stack}")
[[ -z ${STACK_POSTGRES_BIN:-} ]] || STACK_POSTGRES_BIN=$(absolute_path STACK_POSTGRES_BIN "$STACK_POSTGRES_BIN" "$PWD")
STACK_ID=$(printf '%s' "$STACK_DIR" | sha256sum | cut -c 1-12)
AWAY_DIR=/var/lib/payments-platform/$STACK_ID # where root keeps the data if the servers' users cannot reach STACK_DIR
SECRETS=(postgres admin loader reader exporter backup app lake rabbitmq)
declare -A STATE=() # what must survive a restart: the ports and wishes behind them, DATA_DIR

for part in servers ports postgres replica rabbitmq cluster monitoring proxy backups show; do source "$REPO_ROOT/scripts/stack_$part.sh"; done
cd / # the servers' users may not be able to read the directory that the caller is in

# --- state and secrets -----------------------------------------------------------------------------------------------
load_state() {
  local key value
  STATE=()
  [[ -r $STACK_DIR/state ]] || return 0
  while IFS='=' read -r key value; do [[ -z $key ]] || STATE[$key]=$value; done <"$STACK_DIR/state"
}

save_state() {
  local key
  for key in "${!STATE[@]}"; do printf '%s=%s\n' "$key" "${STATE[$key]}"; done | sort >"$STACK_DIR/state.new"
  mv -f -- "$STACK_DIR/state.new" "$STACK_DIR/state"
}

make_secrets() { # once
  local name file
  [[ -d $STACK_DIR/secrets ]] || mkdir -m 700 "$STACK_DIR/secrets"
  for name in "${SECRETS[@]/%/_password}" erlang_cookie webhook_secret; do
    file=$STACK_DIR/secrets/$name
    [[ -s $file ]] && continue
    (umask 077 && random_password >"$file.new" && mv -f -- "$file.new" "$file")
  done
}

# --- places ------------------------------------------------------------------------------------------------
choose_data_dir() {
  local account
  [[ -z ${STATE[DATA_DIR]:-} ]] || return 0
  STATE[DATA_DIR]=$STACK_DIR/data
  mkdir -p "$STACK_DIR/data"
  for account in postgres rabbitmq; do
    run_as "$(server_user "$account")"
    "${RUN_AS[@]}" test -x "$STACK_DIR/data" || STATE[DATA_DIR]=$AWAY_DIR
  done
  if [[ ${STATE[DATA_DIR]} == "$AWAY_DIR" ]]; then
    rmdir "$STACK_DIR/data"
    mkdir -p "$AWAY_DIR"
    note "the servers' users cannot reach $STACK_DIR, so the data goes to $AWAY_DIR"
  fi
}

# --- commands --------------------------------------------------------------------------------------------------------
install_missing() { # MONITORING PROXY: the options of up, or nothing
  local program
  local -a missing=()
  [[ -n $(pg_bins) ]] || missing+=(postgresql postgresql-client)
  [[ -x $RMQ_HOME/bin/rabbitmq-server ]] || missing+=(rabbitmq-server)
  if [[ $1 == --with-monitoring ]]; then
    for program in prometheus{,-alertmanager,-postgres-exporter}; do
      command -v "$program" >/dev/null || missing+=("$program")
    done
  fi
  [[ $2 != --with-proxy || -x $HAPROXY ]] || missing+=(haproxy)
  ((${#missing[@]} == 0)) || apt_install "${missing[@]}"
}

# A stack belongs to who made it: root steps down to that user, others are told.
check_owner() {
  [[ -d $STACK_DIR && ! -O $STACK_DIR ]] || return 0
  local owner
  owner=$(stat -c %U -- "$STACK_DIR")
  ((EUID == 0)) || die "$STACK_DIR belongs to $owner; act as that user, or set STACK_DIR to a directory of your own"
  exec setpriv "--reuid=$owner" "--regid=$(id -g "$owner")" --init-groups env "STACK_DIR=$STACK_DIR" \
    "HOME=$(getent passwd "$owner" | cut -d: -f6)" "USER=$owner" "$REPO_ROOT/scripts/stack.sh" "$@"
}

take_lock() { # one command at a time in a STACK_DIR; a reset may have deleted the file that we waited for
  while :; do
    { exec 9>"$STACK_DIR/lock"; } 2>/dev/null || { make_own_dir "$STACK_DIR" && exec 9>"$STACK_DIR/lock"; }
    flock -n 9 || { note "another stack.sh is at work in $STACK_DIR, waiting" && flock -w 900 9; } ||
      die "another stack.sh has been at work in $STACK_DIR for 15 minutes; find it with: fuser -v '$STACK_DIR/lock'"
    [[ $STACK_DIR/lock -ef /proc/self/fd/9 ]] && return
    mkdir -p "$STACK_DIR"
  done
}

# attach: load what is there; fails if there never was a stack.
attach() {
  load_state
  [[ -n ${STATE[DATA_DIR]:-} ]] || return 1
  DATA_DIR=${STATE[DATA_DIR]}
  pg_setup
  rmq_setup
  mon_setup
}

# attach_or_die: the same, and says what to do.
attach_or_die() { attach || die "there is no stack in $STACK_DIR yet; start it with: scripts/stack.sh up"; }

# check_settings: those of the servers, before anything is done.
check_settings() {
  local mb
  read_env_file
  mb=$(setting STACK_MEMORY_MB 1024)
  [[ -z ${STACK_POSTGRES_BIN:-} || (-x $STACK_POSTGRES_BIN/initdb && -x $STACK_POSTGRES_BIN/postgres) ]] ||
    die_usage "STACK_POSTGRES_BIN is '$STACK_POSTGRES_BIN', where there is no initdb and postgres; unset it, or name their folder"
  [[ $mb =~ ^[1-9][0-9]{0,7}$ ]] || die_usage "STACK_MEMORY_MB is '$mb'; give megabytes as a whole number, e.g. 2048"
}

# is_database_name NAME: the rule of lib/settings/base.ts, whatever a locale takes for a small letter.
is_database_name() {
  local LC_ALL=C
  [[ $1 =~ ^[a-z_][a-z0-9_]{0,62}$ && ! $1 =~ ^(postgres|template[01]|payments_scratch|datalake)$ ]]
}

cmd_up() { # [--with-monitoring|--without-monitoring] [--with-replica|--without-replica] [--with-cluster|--without-cluster] [--with-proxy|--without-proxy]
  local db arg monitoring='' replica='' cluster='' proxy=''
  for arg; do
    case $arg in
      *-monitoring) monitoring=$arg ;;
      *-replica) replica=$arg ;;
      *-cluster) cluster=${arg/#--cluster/--with-cluster} ;;
      *-proxy) proxy=$arg ;;
    esac
  done
  check_settings
  db=$(setting POSTGRES_DB payments)
  is_database_name "$db" ||
    die_usage "POSTGRES_DB is '$db'; use small letters, digits and _, at most 63, no digit first, and not the name of a database with a purpose of its own"
  # RabbitMQ asks a shell for the free space under its path and hands it to scripts of its own: they hang on such a path.
  [[ $STACK_DIR != *[\'\"\`[:cntrl:]]* ]] ||
    die "the path $STACK_DIR has a quote or a control character in it, which RabbitMQ cannot bear; set STACK_DIR to another one"
  (LC_ALL=C && ((${#STACK_DIR} < 900))) || # of 1,023 bytes that PostgreSQL has for a path
    die "the path $STACK_DIR is too long for PostgreSQL; set STACK_DIR to a shorter one"
  [[ -e $STACK_DIR ]] || make_own_dir "$STACK_DIR" # better told before anything is installed
  install_missing "$monitoring" "$proxy"
  check_owner up "$@"
  make_own_dir "$STACK_DIR"
  [[ -e $STACK_DIR/state || -z $(find "$STACK_DIR" -mindepth 1 ! -name lock -print -quit) ]] ||
    die "$STACK_DIR is not empty and not a stack; set STACK_DIR to another directory, or empty it"
  take_lock
  touch "$STACK_DIR/state" # marks the directory as ours
  load_state
  choose_data_dir
  STATE[POSTGRES_DB]=$db
  [[ -z ${STACK_POSTGRES_BIN:-} ]] || STATE[POSTGRES_BIN]=$STACK_POSTGRES_BIN
  case $monitoring in
    --with-*) STATE[MONITORING]=${STATE[MONITORING]:-wanted} ;; # later the checksum of its configuration
    --without-*) STATE[MONITORING]='' ;;
  esac
  case $replica in
    --with-*) STATE[REPLICA]=wanted ;;
    --without-*) STATE[REPLICA]='' ;;
  esac
  case $cluster in
    --with-*) [[ ${STATE[CLUSTER]:-} == joined ]] || STATE[CLUSTER]=wanted ;;
    --without-*) STATE[CLUSTER]=${STATE[CLUSTER]:+leaving} ;;
  esac
  case $proxy in
    --with-*) STATE[PROXY]=wanted ;;
    --without-*) STATE[PROXY]='' ;;
  esac
  DATA_DIR=${STATE[DATA_DIR]}
  save_state
  make_secrets
  mkdir -p "$STACK_DIR/run" "$STACK_DIR/logs"
  pg_setup
  rmq_setup

  local start_pg='' start_rmq=''
  running postgres || start_pg=1
  running rabbitmq || start_rmq=1
  # Whatever of a server outlived it goes first: it may hold the ports, and a new server must not work beside it.
  if [[ -n $start_pg ]]; then
    pg_end_strays
    choose_port POSTGRES_PORT 5432
  fi
  if [[ -n $start_rmq ]]; then
    rmq_end_strays
    rmq_choose_ports
    rmq_setup # its environment holds ports
  elif ! running epmd; then
    (cd -- "$RMQ_DIR" && epmd_start) # the node finds it again by itself
  fi
  choose_process_port WORKER_METRICS_PORT 9464 worker worker_listens
  choose_process_port HTTP_PORT 8080 services services_listen
  # Of a process that bootstrap.sh starts, and nobody else.
  [[ -z ${MOVE_PROCESSES:-}${STATE[SIMULATOR_PORT]:-} ]] ||
    choose_process_port SIMULATOR_PORT 8089 gateway-simulator simulator_listens
  local reporter
  for reporter in A:5002 B:5010 C:5020; do
    [[ -z ${MOVE_PROCESSES:-}${STATE[REPORTER_${reporter%:*}_PORT]:-} ]] ||
      choose_process_port "REPORTER_${reporter%:*}_PORT" "${reporter#*:}" "reporter-${reporter%:*}" false
  done
  save_state
  # Both boot at the same time, then each is waited for.
  [[ -z $start_rmq ]] || rmq_start
  cluster_start
  [[ -z $start_pg ]] || pg_start
  pg_wait
  pg_provision
  rmq_wait
  rmq_provision
  up_cluster
  # There RabbitMQ 3.10 reports 'NaN' bytes of disk free, which Prometheus refuses together with all its other metrics.
  [[ $RMQ_DIR != *' '* ]] ||
    note "RabbitMQ cannot watch the disk, nor can its metrics be scraped: there is a blank in $RMQ_DIR"
  up_replica
  backups_start
  up_monitoring
  up_proxy "$proxy"
  note "up: PostgreSQL on 127.0.0.1:${STATE[POSTGRES_PORT]}, RabbitMQ on $(rmq_places)${STATE[MONITORING]:+, Prometheus on http://127.0.0.1:${STATE[PROMETHEUS_PORT]:-}}${STATE[PROXY]:+, campaigns on http://127.0.0.1:${STATE[PROXY_PORT]:-}}"
}

# Whoever watches needs the addresses of all others, so this comes last.
up_monitoring() {
  mon_setup
  mon_wanted || { mon_stop; return; }
  mon_choose_ports
  save_state
  mon_start
  mon_wait
}

up_proxy() { # [--with-proxy]
  proxy_wanted || { proxy_stop; return; }
  proxy_choose_ports
  save_state
  proxy_start "$1"
}

cmd_down() {
  check_owner down
  [[ -e $STACK_DIR/state ]] || { note "nothing to stop in $STACK_DIR"; return 0; }
  take_lock
  stop_all
  note 'down: nothing of this stack is running'
}

stop_all() {
  local file
  local -a waits=()
  attach || return 0
  backups_stop
  proxy_stop
  for file in "$STACK_DIR"/run/{worker,services,gateway-simulator,reporter}*.pid; do # first, and all at once: each finishes what is at hand
    [[ -e $file ]] || continue
    stop_process "$file" "$(basename -- "$file" .pid)" TERM 60 KILL 5 9>&- &
    waits+=($!)
  done
  for file in "${waits[@]}"; do wait "$file" || true; done
  mon_stop
  rmq_stop
  replica_stop
  pg_stop
}

cmd_reset() {
  local dir=$STACK_DIR name
  local -a doomed=()
  check_owner reset "$@"
  for name in data secrets run logs bench state; do # by name: whatever else is in STACK_DIR is not ours
    [[ -e $dir/state && -e $dir/$name ]] && doomed+=("$dir/$name")
  done
  [[ $EUID -eq 0 && -d $AWAY_DIR ]] && doomed+=("$AWAY_DIR")
  ((${#doomed[@]})) || { note "nothing to delete in $dir"; return 0; }
  [[ ${1:-} == --yes ]] || die_usage "this would stop the stack and delete for good: ${doomed[*]}; say so with: reset --yes"
  mkdir -p "$dir"
  take_lock
  stop_all
  rm -rf -- "${doomed[@]}"
  rm -f -- "$dir/state.new" "$dir/lock"
  rmdir -- "$dir" "${AWAY_DIR%/*}" 2>/dev/null || true
  note "deleted: ${doomed[*]}"
}

cmd_rabbitmqctl() {
  check_owner rabbitmqctl "$@"
  attach_or_die
  "${RMQ_AS[@]}" "$RMQ_HOME/bin/rabbitmqctl" "$@"
}

command=${1:-}
(($# == 0)) || shift
case $command in
  rabbitmqctl) cmd_rabbitmqctl "$@" ;;
  logs) cmd_logs "$@" ;;
  backups)
    [[ $# -eq 1 && ($1 == on || $1 == off) ]] || die_usage "backups takes on or off; see: scripts/stack.sh --help"
    cmd_backups "$1"
    ;;
  reset | status)
    [[ $# -eq 0 || ($# -eq 1 && ($command$1 == reset--yes || $command$1 == status--json)) ]] ||
      die_usage "$command does not take '$*'; see: scripts/stack.sh --help"
    "cmd_$command" "$@"
    ;;
  up)
    for arg; do
      [[ $arg =~ ^--with(out)?-(monitoring|replica|cluster|proxy)$ || $arg == --cluster ]] || die_usage "up does not take '$arg'; see: scripts/stack.sh --help"
    done
    cmd_up "$@"
    ;;
  down | env)
    (($# == 0)) || die_usage "$command takes no arguments; see: scripts/stack.sh --help"
    "cmd_$command"
    ;;
  -h | --help | help) usage ;;
  *) usage >&2; exit 2 ;;
esac
