# shellcheck shell=bash
# Helpers shared by scripts/*.sh. Sourcing it starts nothing, and clears away what the user's shell left for other programs.

# --- environment -----------------------------------------------------------------------------------------------------
# What a user's shell says to other programs must not steer ours. Servers and the programs of jobs/ get an environment of
# their own (run_as in stack_servers.sh, execute in jobs/backup/postgres_tool.ts), node-postgres too (lib/postgres/environment.ts).

# A BASH_ENV that prints would print into what we read from our own scripts. In POSIX mode options after operands are files.
unset BASH_ENV ENV POSIXLY_CORRECT CDPATH GLOBIGNORE GREP_OPTIONS GREP_COLOR GREP_COLORS
# With -p, as in the first line of each script, bash takes over no functions; called as `bash scripts/x.sh` or with sh, a
# script runs itself again so.
[[ $- == *p* || ${BASH_SOURCE[-1]} != "$0" ]] || exec bash -p -- "$0" "$@"
# Options that were exported, and what a function called cd or grep would make of it.
set +o posix +o noclobber +o noglob +o allexport
shopt -u nullglob failglob dotglob nocaseglob nocasematch extdebug
export -n SHELLOPTS BASHOPTS
while read -r _ _ name; do unset -f "$name"; done < <(declare -Fx)
# Words and numbers that we read must be those that we know; sorting and [a-z] too.
export LC_ALL=C.UTF-8
# Where a client's PG* matter (plans.sh, schema_dump.sh, what `stack.sh env` prints), only those that name the database and the
# way to it do: of several hosts the primary, TLS and whom it trusts.
for name in "${!PG@}"; do
  [[ $name == @(PGHOST|PGPORT|PGUSER|PGPASSWORD|PGDATABASE|PGTARGETSESSIONATTRS|PGSSLMODE|PGSSLROOTCERT) ]] || unset "$name"
done
unset name

REPO_ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)

# Progress and errors go to stderr, so that stdout carries data only. Say what failed, why, and what to do, in one line.
# Where nobody listens (closed, a full disk) the work goes on without words.
true >&2 || exec 2>/dev/null
note() { printf '%s: %s\n' "${0##*/}" "$*" >&2 || true; }
die() { note "$*"; exit 1; }
die_usage() { note "$*"; exit 2; }

# --- settings --------------------------------------------------------------------------------------------------------
declare -A ENV_FILE=()
ENV_FILE_READ=''

# read_env_file: .env, once; `setting` does it too, but in its caller's subshell, for itself alone. By the reader that
# payments has (lib/settings/dotenv.mjs), so that a line means the same to both; one that is not understood ends us.
read_env_file() {
  [[ -z $ENV_FILE_READ ]] || return 0
  local file=$REPO_ROOT/.env elements=''
  [[ -z ${PAYMENTS_ENV_FILE:-} ]] || file=$(absolute_path PAYMENTS_ENV_FILE "$PAYMENTS_ENV_FILE" "$REPO_ROOT") || exit
  if [[ -e $file || -n ${PAYMENTS_ENV_FILE:-} ]]; then
    command -v node >/dev/null || die "Node.js is missing, which reads $file; install it: https://nodejs.org"
    elements=$(node "$REPO_ROOT/scripts/dotenv.mjs" "$file") ||
      die_usage "cannot read the settings in $file; mend what is named above, README.md (Settings) says how it is read"
  fi
  eval "ENV_FILE=($elements)" # names and quoted values only
  [[ -z ${ENV_FILE[STACK_DIR]:-}${ENV_FILE[STACK_PORTS]:-}${ENV_FILE[STACK_POSTGRES_BIN]:-} ]] ||
    die_usage "STACK_DIR, STACK_PORTS and STACK_POSTGRES_BIN belong in the environment, not in $file"
  ENV_FILE_READ=1
}

# setting NAME DEFAULT: from the environment, else from .env, else DEFAULT; blank is unset.
setting() {
  local value=${!1:-}
  if [[ -z ${value//[[:space:]]/} ]]; then
    read_env_file
    value=${ENV_FILE[$1]:-}
  fi
  [[ -n ${value//[[:space:]]/} ]] || value=$2
  printf '%s\n' "$value"
}

# absolute_path NAME VALUE BASE: what the setting NAME names; a relative one lies in BASE. As lib/settings/path.ts reads it.
absolute_path() {
  local path=$2
  case $path in
    \~ | \~/*)
      [[ ${HOME:-} == /* ]] || die_usage "$1 begins with ~, but HOME is no absolute path"
      path=$HOME${path#\~}
      ;;
    \~*) die_usage "$1 begins with ~ and a name, which only a shell expands; write the whole path" ;;
    \$* | *\$[\{\(]*) die_usage "$1 has a variable in it, which only a shell expands; write the whole path" ;;
    /*) ;;
    *) path=$3/$path ;;
  esac
  realpath -ms -- "$path"
}

# make_own_dir DIR: unless it is there; one that we may not write, or a read-only disk, is told in our words.
make_own_dir() {
  local reason=''
  reason=$(mkdir -p -- "$1" 2>&1) && [[ -w $1 ]] && return
  die "cannot write in $1${reason:+ (${reason##*: })}: run this as the user whom it belongs to, or from a copy of the checkout that you may write"
}

# random_password: letters and digits only, so that it survives any URL, shell and configuration file.
random_password() { od -An -v -N 24 -tx1 /dev/urandom | tr -d ' \n'; }

# url_quote TEXT: as a part of a URL, byte by byte.
url_quote() {
  local LC_ALL=C text=$1 out='' char
  while [[ -n $text ]]; do
    char=${text:0:1} text=${text:1}
    [[ $char == [a-zA-Z0-9._~-] ]] || printf -v char '%%%02X' "'$char"
    out+=$char
  done
  printf '%s\n' "$out"
}

# shell_quote TEXT: as one word that any POSIX shell reads back unchanged.
shell_quote() { printf "'%s'" "${1//\'/\'\\\'\'}"; }

# --- processes -------------------------------------------------------------------------------------------------------
# A pid file holds "<pid> <start time>". The start time (field 22 of /proc/PID/stat) tells our process from a stranger
# that got the same number later, so nothing is ever signalled or believed alive by its number alone.

# process_start PID: its start time; fails if there is no such process, or only its zombie is left.
process_start() {
  local stat
  { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
  [[ -n $stat ]] || return 1 # it ended between opening and reading
  local -a field
  read -ra field <<<"${stat##*) }" # the name before ")" may hold blanks; what follows starts with field 3
  [[ ${field[0]} != [ZX] ]] && printf '%s\n' "${field[19]}"
}

# write_pid_file FILE PID
write_pid_file() {
  local start
  start=$(process_start "$2") || return 1
  printf '%s %s\n' "$2" "$start" >"$1.new" && mv -f -- "$1.new" "$1"
}

# live_pid FILE: the pid in FILE, if that very process is still running.
live_pid() {
  local pid start
  [[ -r $1 ]] && read -r pid start <"$1" || return 1
  [[ $pid =~ ^[0-9]+$ && $(process_start "$pid") == "$start" ]] && printf '%s\n' "$pid"
}

# stop_process FILE NAME SIGNAL SECONDS [SIGNAL SECONDS]...: each signal in turn until the process is gone.
stop_process() {
  local file=$1 name=$2 pid
  shift 2
  while pid=$(live_pid "$file"); do
    (($# >= 2)) || die "$name (pid $pid) does not stop; look at it with: ps -fp $pid"
    kill -s "$1" "$pid" 2>/dev/null || true
    local -i tenths=$(($2 * 10))
    while ((tenths-- > 0)) && live_pid "$file" >/dev/null; do sleep 0.1; done
    live_pid "$file" >/dev/null && note "$name (pid $pid) is still there $2 s after SIG$1"
    shift 2
  done
  rm -f -- "$file"
}

# spawn PIDFILE LOGFILE COMMAND...: run it in a session of its own, so that it outlives this script, its terminal and its
# Ctrl-C. COMMAND must exec, not fork. Descriptor 9 holds our lock and must not live on in a server.
spawn() {
  local file=$1 log=$2
  shift 2
  setsid "$@" </dev/null >>"$log" 2>&1 9>&- &
  write_pid_file "$file" $! && return
  process_start $! >/dev/null || return 0 # already dead again: whoever waits for it says so
  kill $! # nobody could find it again
  die "cannot write $file; is there room on its disk?"
}

# --- ports -----------------------------------------------------------------------------------------------------------
# port_taken PORT: does anything listen there? Read from /proc: no tool needed, and nobody gets a stray connection.
port_taken() {
  local hex
  printf -v hex '%04X' "$1"
  grep -Eqs "^ *[0-9]+: [0-9A-F]+:$hex [0-9A-F]+:[0-9A-F]+ 0A " /proc/net/tcp /proc/net/tcp6
}

# http_get PORT PATH [HEADER]: the status code of the answer there, then its body. Bash speaks HTTP well enough, and curl
# may be missing.
http_get() {
  (
    exec 8<>"/dev/tcp/127.0.0.1/$1" || exit
    printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n%s\r\n' "$2" "${3:+$3$'\r\n'}" >&8
    timeout 10 sed -n '1 s/^[^ ]* \([0-9]*\).*/\1/p; 1,/^\r*$/ d; p' <&8
  ) 2>/dev/null
}

# free_port: a random one below the range from which outgoing connections take theirs.
free_port() {
  local port
  while :; do
    port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
    port_taken "$port" || break
  done
  printf '%s\n' "$port"
}

# --- machine ---------------------------------------------------------------------------------------------------------
# memory_mb: what this machine, or the container around us, lets us use.
memory_mb() {
  local file limit total
  total=$(awk '/^MemTotal:/ { print int($2 / 1024) }' /proc/meminfo)
  for file in /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes; do
    limit=$(cat "$file" 2>/dev/null) || continue
    [[ $limit =~ ^[0-9]+$ ]] || continue # "max"
    limit=$((limit / 1048576))
    ((limit >= total)) || total=$limit
  done
  printf '%s\n' "$total"
}

# clamp VALUE LOW HIGH
clamp() { printf '%s\n' $(($1 < $2 ? $2 : $1 > $3 ? $3 : $1)); }

# apt_install PACKAGE...: install Debian packages, but let none of them start a service, now or at the next boot, or
# create a database cluster of its own: a server on a well-known port is not what the user asked for.
apt_install() {
  local -a root=()
  command -v apt-get >/dev/null || die "missing: $*; this system has no apt-get, install them with its own package manager"
  if ((EUID != 0)); then
    sudo -n true 2>/dev/null || die "missing packages, and no right to install them; run: sudo apt-get install --no-install-recommends $*"
    root=(sudo -n)
  fi
  note "installing $*"
  "${root[@]}" bash -ps -- "$@" <<'AS_ROOT' >&2 || die "apt-get could not install $*; the reason is above"
set -euo pipefail
policy=/usr/sbin/policy-rc.d cluster=/etc/postgresql-common/createcluster.conf
made_policy='' saved_cluster=''
undo() {
  [[ -z $made_policy ]] || rm -f "$policy"
  [[ -z $saved_cluster ]] || mv -f "$saved_cluster" "$cluster"
}
trap undo EXIT
trap 'exit 130' INT TERM HUP
if [[ ! -e $policy && ! -L $policy ]]; then
  made_policy=1
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
fi
units=()
for unit in haproxy.service pgbouncer.service rabbitmq-server.service epmd.service epmd.socket postgresql.service prometheus.service \
  prometheus-alertmanager.service prometheus-postgres-exporter.service; do
  [[ -e /lib/systemd/system/$unit ]] || units+=("$unit")
done
get() { DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" </dev/null; }
get update || echo 'apt-get update failed, trying with the package lists at hand'
if [[ " $* " == *' postgresql '* ]]; then
  get install --no-install-recommends postgresql-common # brings the file that the next line needs
  saved_cluster=$(mktemp "$cluster.XXXXXX")
  cp -p "$cluster" "$saved_cluster"
  echo 'create_main_cluster = false' >>"$cluster"
fi
get install --no-install-recommends "$@"
for unit in "${units[@]}"; do # only those that were not here before
  if [[ -e /lib/systemd/system/$unit ]] && command -v systemctl >/dev/null; then systemctl -q disable "$unit" || true; fi
done
AS_ROOT
}
