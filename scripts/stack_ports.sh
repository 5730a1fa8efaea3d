# shellcheck shell=bash
# Which ports the local stack takes; sourced by stack.sh, which sets STACK_DIR and STATE.
# shellcheck disable=SC2004 # STATE is an associative array

# same_wish NAME WISH: does WISH ask for what NAME has already? So does its own port, which `env` puts into the environment.
same_wish() { [[ $2 == "${STATE[WISH_$1]:-}" || $2 == "${STATE[$1]:-}" ]]; }

# choose_port NAME DEFAULT: remembered, unless the user has since asked for another; a free one where that is taken.
choose_port() {
  local name=$1 wish='' port key used=' '
  [[ ${STACK_PORTS:-} == free || -z $2 ]] || wish=$(setting "$name" "$2")
  [[ -z $wish || ($wish =~ ^[1-9][0-9]{0,4}$ && $wish -ge 1024 && $wish -le 65535) ]] ||
    die_usage "$name is '$wish', but must be a port between 1024 and 65535; change it in the environment or .env"
  port=${STATE[$name]:-}
  if [[ -z $port ]] || ! same_wish "$name" "$wish"; then
    port=${wish:-$port}
    STATE[WISH_$name]=$wish
  fi
  unset "STATE[$name]"
  for key in "${!STATE[@]}"; do [[ $key != WISH_* && $key == *_PORT ]] && used+="${STATE[$key]} "; done
  if [[ -z $port ]] || port_taken "$port" || [[ $used == *" $port "* ]]; then
    STATE[$name]=$(free_port)
    while [[ $used == *" ${STATE[$name]} "* ]]; do STATE[$name]=$(free_port); done
    [[ -z $port ]] || note "port $port ($name) is taken, using ${STATE[$name]} instead"
  else
    STATE[$name]=$port
  fi
}

# worker_listens, services_listen, simulator_listens: is it a worker, or services, whoever started them, that listen on their port?
# A worker says so to whoever asks for no page.
worker_listens() { [[ $(http_get "${STATE[WORKER_METRICS_PORT]}" /) == *'/metrics, /healthz and /readyz'* ]]; }
services_listen() { [[ $(http_get "${STATE[HTTP_PORT]}" /openapi.json) == *'"payments-platform"'* ]]; }
simulator_listens() { [[ $(http_get "${STATE[SIMULATOR_PORT]}" /v1/payouts) == *'API key'* ]]; }

# process_runs NAME: does one that bootstrap.sh started? It may be too busy to answer.
process_runs() {
  local file
  for file in "$STACK_DIR/run/$1"*.pid; do live_pid "$file" >/dev/null && return; done
  return 1
}

# choose_process_port NAME DEFAULT PROCESS LISTENS: kept while its process has it, whatever is asked for, unless MOVE_PROCESSES says
# that it will be restarted.
choose_process_port() {
  local name=$1 default=$2 process=$3 listens=$4 wish='' port=${STATE[$1]:-}
  [[ ${STACK_PORTS:-} == free ]] || wish=$(setting "$name" "$default")
  if [[ -n $port ]] && { process_runs "$process" || "$listens"; }; then
    same_wish "$name" "$wish" && return
    if [[ -z ${MOVE_PROCESSES:-} ]]; then
      [[ -z $wish ]] ||
        note "$process still at work, so $name stays $port; scripts/bootstrap.sh moves it to $wish, as does down, then up"
      return
    fi
  fi
  if [[ $wish == 0 ]]; then
    STATE[$name]=0 STATE[WISH_$name]=0 # it shall serve nothing
  elif [[ -z $port ]] || ! same_wish "$name" "$wish" || port_taken "$port"; then
    choose_port "$name" "$default"
  fi
}
