# shellcheck shell=bash
# What both servers of the local stack need: their users, their files, and an end to what they leave behind.

# run_as USER: sets RUN_AS, a prefix that runs a program as USER in a clean environment: variables meant for clients
# (PG*, RABBITMQ_*) would otherwise steer the servers.
run_as() {
  RUN_AS=(env -i "PATH=$PATH" LANG=C.UTF-8 "USER=$1")
  ((EUID == 0)) || return 0
  local group
  group=$(id -g "$1" 2>/dev/null) || die "there is no account $1, its package is gone; bring it back with: scripts/stack.sh up"
  RUN_AS=(setpriv "--reuid=$1" "--regid=$group" --init-groups --no-new-privs "${RUN_AS[@]}")
}

server_user() { # ACCOUNT: root's servers run as the packages' accounts, anyone else's as themselves
  if ((EUID == 0)); then printf '%s\n' "$1"; else id -un; fi
}

make_server_dir() { # DIR ACCOUNT
  [[ -d $1 ]] || install -d -m 700 -- "$1"
  ((EUID != 0)) || chown "$2": -- "$1"
}

put_file() { # PREFIX PATH: standard input into a file of the server's user, whole or not at all
  local -n prefix=$1
  # shellcheck disable=SC2016 # for the inner shell
  "${prefix[@]}" sh -c 'umask 077 && cat >"$1.new" && mv -f "$1.new" "$1"' sh "$2"
}

# end_strays PREFIX DIR NAMES SIGNAL SIGNAL: ends what a killed server left behind: programs called NAMES (an expression)
# that work in DIR. Only their own user may ask where processes work, hence the prefix.
end_strays() {
  local -n prefix=$1
  local dir=$2 names=$3 signal pids
  local -i tries
  for signal in "$4" "$5"; do
    for ((tries = 0; tries < 100; tries++)); do
      pids=$("${prefix[@]}" find /proc -mindepth 2 -maxdepth 2 -name cwd -printf '%h\t%l\n' 2>/dev/null |
        DIR=$dir awk -F '\t' '$2 == ENVIRON["DIR"] { print substr($1, 7) }' |
        while read -r pid; do grep -Eqsx "$names" "/proc/$pid/comm" && echo "$pid"; done) || true
      [[ -n $pids ]] || return 0
      # shellcheck disable=SC2086 # a list
      ((tries > 0)) || kill -s "$signal" $pids 2>/dev/null || true
      sleep 0.1
    done
  done
  die "processes of an earlier run do not end: ${pids//$'\n'/ }; look at them with: ps -fp <pid>"
}

running() { live_pid "$STACK_DIR/run/$1.pid" >/dev/null; } # PROGRAM

logs_of() { # PROGRAM: its log files, one a line
  case $1 in
    postgres)
      printf '%s\n' "$PG_LOG"
      find "$PG_DIR/log" -name 'postgresql-*.log' -printf '%T@ %p\n' | sort -n | tail -n 1 | cut -d ' ' -f 2-
      ;;
    replica)
      printf '%s\n' "$STACK_DIR/logs/replica-start.log"
      find "$PG_DIR/log" -name 'replica-*.log' -printf '%T@ %p\n' | sort -n | tail -n 1 | cut -d ' ' -f 2-
      ;;
    rabbitmq*) printf '%s\n' "$STACK_DIR/logs/$1-start.log" "$DATA_DIR/$1/log/rabbitmq.log" ;;
    *) find "$STACK_DIR/logs" -maxdepth 1 -name "$1*.log" | sort ;;
  esac
}

# wait_for PROGRAM SECONDS COMMAND...: until COMMAND succeeds.
wait_for() {
  local program=$1 limit=$2
  local -i end=$((SECONDS + limit))
  shift 2
  until "$@"; do
    running "$program" || die "$program did not start: $(last_error "$program"); see: scripts/stack.sh logs $program"
    ((SECONDS < end)) || die "$program is not ready after $limit s; see: scripts/stack.sh logs $program"
    sleep 0.1
  done
}

last_error() { # PROGRAM: the most telling line of its logs, for a message
  local line pattern
  local -a logs
  mapfile -t logs < <(logs_of "$1")
  for pattern in 'fatal:|panic:|eaddrinuse|eacces|could_not_start|\{error,' 'error.*[a-z]$|denied|failed'; do
    line=$(cat -- "${logs[@]}" 2>/dev/null | grep -Ei "$pattern" | tail -n 1) || true
    [[ -z $line ]] || break
  done
  printf '%s\n' "${line:-no reason in its log}"
}
