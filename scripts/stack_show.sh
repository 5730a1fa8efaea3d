# shellcheck shell=bash
# What the local stack shows without changing anything; sourced by stack.sh.

at() { printf '127.0.0.1:%s\n' "${STATE[$1]:--}"; } # NAME of a port

# service_rows: name, state, address, pid, directory, one line each, separated by tabs.
service_rows() {
  local file name address rmq=false
  row() { # NAME PROGRAM ADDRESS DIR COMMAND...: up if it runs and COMMAND says so
    local state=down pid
    if pid=$(live_pid "$STACK_DIR/run/$2.pid"); then state=starting && "${@:5}" && state=up; fi
    printf '%s\t%s\t%s\t%s\t%s\n' "$1" "$state" "$3" "${pid:--}" "$4"
  }
  row postgres postgres "$(at POSTGRES_PORT)" "$PG_DIR" pg_answers
  ! replica_wanted || row replica replica "$(at REPLICA_PORT)" "$PG_DIR" replica_answers
  running rabbitmq && rmq_answers && rmq=true
  row rabbitmq rabbitmq "$(at RABBITMQ_PORT)" "$RMQ_DIR" "$rmq"
  row rabbitmq-management rabbitmq "$(at RABBITMQ_MGMT_PORT)" "$RMQ_DIR" "$rmq"
  row rabbitmq-prometheus rabbitmq "$(at RABBITMQ_PROMETHEUS_PORT)" "$RMQ_DIR" "$rmq"
  if cluster_wanted; then
    for file in "${CLUSTER_NODES[@]}"; do
      row "rabbitmq-$file" "rabbitmq-$file" "$(at "RABBITMQ_${file}_PORT")" "$DATA_DIR/rabbitmq-$file" cluster_node_answers "$file"
    done
  fi
  row epmd epmd "$(at EPMD_PORT)" "$RMQ_DIR" true
  if mon_wanted; then
    for file in "${MON_PROGRAMS[@]}"; do
      row "$file" "$file" "$(at "${MON_PORT[$file]}")" "$MON_DIR" mon_answers "$file"
    done
  fi
  if proxy_wanted; then
    for file in "${PROXY_NODES[@]}"; do
      row "campaigns-$file" "campaigns-$file" "$(at "PROXY_NODE_${file}_PORT")" - proxy_node_ready "$file"
    done
    row proxy proxy "$(at PROXY_PORT)" - proxy_answers
  fi
  ! backups_wanted || row backups backups - - true
  for file in "$STACK_DIR"/run/{worker,services,gateway-simulator,reporter}*.pid; do
    name=$(basename -- "$file" .pid) address=-
    [[ $name != services ]] || address=$(at HTTP_PORT)
    [[ $name != gateway-simulator ]] || address=$(at SIMULATOR_PORT)
    [[ $name != reporter-* ]] || address=$(at "REPORTER_${name#reporter-}_PORT")
    [[ ! -e $file ]] || row "$name" "$name" "$address" - true
  done
}

cmd_status() {
  local rows
  check_owner status "$@"
  attach || note "there is no stack in $STACK_DIR yet; start it with: scripts/stack.sh up"
  rows=$(service_rows)
  if [[ ${1:-} == --json ]]; then
    sed -E 's/[\\"]/\\&/g; s/(.*)\t(.*)\t(.*)\t(.*)\t(.*)/{"service":"\1","state":"\2","address":"\3","pid":\4,"dir":"\5"}/
      s/"pid":-,/"pid":null,/' <<<"$rows" | paste -s -d , | sed 's/.*/[&]/'
  else
    awk -F '\t' '{ printf "%-20s %-9s %-16s %-8s %s\n", $1, $2, $3, $4, $5 }' \
      <<<$'SERVICE\tSTATE\tADDRESS\tPID\tDIRECTORY\n'"$rows"
  fi
  # Workers and services come and go; the stack is up when its servers are.
  ! grep -Ev '^(worker|services|gateway-simulator|reporter)' <<<"$rows" | cut -f 2 | grep -qvx up
}

cmd_env() {
  check_owner env
  attach_or_die
  if ! running postgres || ! running rabbitmq; then die "the stack in $STACK_DIR is not running; start it with: scripts/stack.sh up"; fi
  local name secrets=$STACK_DIR/secrets
  local -A value=(
    [STACK_DIR]=$STACK_DIR
    [POSTGRES_HOST]=127.0.0.1 [POSTGRES_PORT]=${STATE[POSTGRES_PORT]} [POSTGRES_DB]=${STATE[POSTGRES_DB]}
    [POSTGRES_READ_HOSTS]=$(! replica_wanted || at REPLICA_PORT)
    [POSTGRES_USER]=payments_loader [POSTGRES_PASSWORD]=$(<"$secrets/loader_password")
    [POSTGRES_ADMIN_USER]=payments_admin [POSTGRES_ADMIN_PASSWORD]=$(<"$secrets/admin_password")
    [POSTGRES_BACKUP_USER]=payments_backup [POSTGRES_BACKUP_PASSWORD]=$(<"$secrets/backup_password")
    [POSTGRES_APP_USER]=payments_app [POSTGRES_APP_PASSWORD]=$(<"$secrets/app_password")
    [DATALAKE_DATABASE_URL]=postgres://payments_lake:$(url_quote "$(<"$secrets/lake_password")")@127.0.0.1:${STATE[POSTGRES_PORT]}/datalake
    [PGHOST]=127.0.0.1 [PGPORT]=${STATE[POSTGRES_PORT]} [PGDATABASE]=${STATE[POSTGRES_DB]}
    [PGUSER]=payments_admin [PGPASSWORD]=$(<"$secrets/admin_password") # a person's psql is the admin's
    [PGSSLMODE]=disable [POSTGRES_SSLMODE]=disable [RABBITMQ_SSLMODE]=disable # loopback; what else was set is about other servers
    [RABBITMQ_HOST]=$(if cluster_wanted; then rmq_places; else echo 127.0.0.1; fi) [RABBITMQ_PORT]=${STATE[RABBITMQ_PORT]} [RABBITMQ_VHOST]=payments
    [RABBITMQ_USER]=payments [RABBITMQ_PASSWORD]=$(<"$secrets/rabbitmq_password")
    [WORKER_METRICS_PORT]=${STATE[WORKER_METRICS_PORT]:-9464} [HTTP_PORT]=${STATE[HTTP_PORT]:-8080}
    [RABBITMQ_MGMT_PORT]=${STATE[RABBITMQ_MGMT_PORT]} [RABBITMQ_PROMETHEUS_PORT]=${STATE[RABBITMQ_PROMETHEUS_PORT]}
  )
  if mon_wanted; then
    for name in "${MON_PORT[@]}"; do value[$name]=${STATE[$name]}; done
  fi
  # Without an account at Stripe a simulator is the gateway: the one that bootstrap.sh has a port for.
  if [[ -n ${STATE[SIMULATOR_PORT]:-} && $(setting STRIPE_API_KEY simulated) == simulated ]]; then
    local gateway=http://127.0.0.1:${STATE[SIMULATOR_PORT]}
    value[STRIPE_API_KEY]=simulated value[STRIPE_API_BASE]=$gateway value[PAYOUTS_BOOK_URL]=$gateway/book
    value[STRIPE_WEBHOOK_SECRET]=$(<"$secrets/webhook_secret")
    value[SIMULATOR_WEBHOOK_SECRET]=${value[STRIPE_WEBHOOK_SECRET]}
    value[SIMULATOR_WEBHOOK_URL]=http://127.0.0.1:${value[HTTP_PORT]}/pagos/webhooks/stripe
    value[SIMULATOR_PORT]=${STATE[SIMULATOR_PORT]} value[SIMULATOR_BOOK_PATH]=$STACK_DIR/gateway_book.ndjson
  fi
  for name in REPORTER_{A,B,C}_PORT; do
    [[ -z ${STATE[$name]:-} ]] || value[$name]=${STATE[$name]}
  done
  if proxy_wanted; then
    for name in PROXY_PORT PROXY_NODE_1_PORT PROXY_NODE_2_PORT; do value[$name]=${STATE[$name]:-}; done
  fi
  if backups_wanted; then value[BACKUP_WAL_DIR]=$(backups_wal_dir); fi
  printf 'unset PGHOSTADDR PGSERVICE PGOPTIONS PGCHANNELBINDING PGREQUIREAUTH PGGSSENCMODE PGTARGETSESSIONATTRS PGSSLNEGOTIATION\n'
  for name in "${!value[@]}"; do printf 'export %s=%s\n' "$name" "$(shell_quote "${value[$name]}")"; done | sort
  # `payments` of this checkout, once, however often this is evaluated.
  if [[ $REPO_ROOT == *:* ]]; then
    note "no program is found in a path with a colon in it; call $REPO_ROOT/bin/payments"
  elif [[ :$PATH: != *:"$REPO_ROOT/bin":* ]]; then
    # shellcheck disable=SC2016 # for the shell that evaluates it
    printf 'export PATH=%s":$PATH"\n' "$(shell_quote "$REPO_ROOT/bin")"
  fi
}

cmd_logs() {
  local what='' follow=() arg
  local -a logs=()
  for arg; do
    case $arg in
      postgres | replica | rabbitmq | rabbitmq-[23] | worker | services | gateway-simulator | reporter | campaigns | proxy | prometheus | alertmanager | postgres-exporter) what=$arg ;;
      -f | --follow) follow=(-F) ;;
      *) die_usage "logs takes postgres, replica, rabbitmq, rabbitmq-2, rabbitmq-3, worker, services, gateway-simulator, reporter, campaigns, proxy, prometheus, alertmanager or postgres-exporter, and -f; not '$arg'" ;;
    esac
  done
  check_owner logs "$@"
  attach_or_die
  local nodes=''
  ! cluster_wanted || nodes='rabbitmq-2 rabbitmq-3'
  for arg in ${what:-postgres rabbitmq $nodes worker services gateway-simulator reporter campaigns proxy "${MON_PROGRAMS[@]}"}; do
    mapfile -t -O "${#logs[@]}" logs < <(logs_of "$arg")
  done
  ((${#logs[@]})) || { note "no log yet of: ${what:-anything}"; return 0; }
  exec tail -n 100 "${follow[@]}" -- "${logs[@]}"
}
