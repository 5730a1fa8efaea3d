# shellcheck shell=bash
# Prometheus, postgres_exporter and Alertmanager of the local stack; sourced by stack.sh, which sets STACK_DIR, DATA_DIR and
# STATE. They are wanted from `up --with-monitoring` on, until `up --without-monitoring`.

MON_DIR=-
MON_PROGRAMS=(postgres-exporter alertmanager prometheus)
MON_CONF=${STACK_PROMETHEUS_DIR:-$REPO_ROOT/prometheus}
# As compose gives them to its exporter: what the query file has under the exporter's own names must not come twice.
MON_EXPORTER_FLAGS=(--no-collector.postmaster --no-collector.stat_user_tables --no-collector.wal --collector.stat_checkpointer)
declare -A MON_PORT=([prometheus]=PROMETHEUS_PORT [alertmanager]=ALERTMANAGER_PORT [postgres-exporter]=POSTGRES_EXPORTER_PORT)

mon_wanted() { [[ -n ${STATE[MONITORING]:-} ]]; }

mon_setup() { # where it was, also when it is not wanted any more
  [[ -d $DATA_DIR/monitoring ]] || mon_wanted || return 0
  MON_DIR=$DATA_DIR/monitoring
  run_as "$(server_user prometheus)"
  MON_AS=("${RUN_AS[@]}" "HOME=$MON_DIR")
}

mon_running() { live_pid "$STACK_DIR/run/$1.pid" >/dev/null; }

# mon_says PROGRAM: the status code that it answers with, and what it says of itself.
mon_says() {
  local code path=/metrics
  [[ $1 == postgres-exporter ]] || path=/-/ready
  ( # as for RabbitMQ: curl may be missing
    exec 8<>"/dev/tcp/127.0.0.1/${STATE[${MON_PORT[$1]}]}" || exit
    printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "$path" >&8
    read -r -t 10 _ code _ <&8 || exit
    printf '%s ' "$code"
    [[ $code == 200 ]] || timeout 10 sed '1,/^\r*$/d' <&8 | tr '\n' ' ' | cut -c 1-300
  ) 2>/dev/null
}

mon_answers() { [[ $(mon_says "$1") == 200* ]]; }

mon_choose_ports() {
  local program
  for program in "${MON_PROGRAMS[@]}"; do
    mon_running "$program" && continue
    case $program in
      prometheus) choose_port PROMETHEUS_PORT 9090 ;;
      alertmanager) choose_port ALERTMANAGER_PORT 9093 ;;
      postgres-exporter) choose_port POSTGRES_EXPORTER_PORT 9187 ;;
    esac
  done
}

# mon_prometheus_yml: the file that compose uses, with our addresses in place of its services'.
mon_prometheus_yml() {
  here() { printf 'static_configs: [{ targets: ["127.0.0.1:%s"] }]' "${STATE[$1]}"; }
  sed -E \
    -e "s/dns_sd_configs: .*names: \[worker\].*/$(here WORKER_METRICS_PORT)/" \
    -e "s/dns_sd_configs: .*names: \[alertmanager\].*/$(here ALERTMANAGER_PORT)/" \
    -e "s/static_configs: .*postgres-exporter:.*/$(here POSTGRES_EXPORTER_PORT)/" \
    -e "s/static_configs: .*rabbitmq:.*/$(here RABBITMQ_PROMETHEUS_PORT)/" \
    -e "s/static_configs: .*localhost:.*/$(here PROMETHEUS_PORT)/" "$MON_CONF/prometheus.yml"
}

mon_write_conf() {
  make_server_dir "$MON_DIR" prometheus
  mon_prometheus_yml | put_file MON_AS "$MON_DIR/prometheus.yml"
  local file
  for file in recording.yml alerts.yml alertmanager.yml postgres_exporter.yml; do
    put_file MON_AS "$MON_DIR/$file" <"$MON_CONF/$file"
  done
  put_file MON_AS "$MON_DIR/.exporter_password" <"$STACK_DIR/secrets/exporter_password"
}

# mon_exporter_flags: those that the installed exporter knows. Debian 12's, 0.11, has neither these collectors nor their flags.
mon_exporter_flags() {
  local help flag
  help=$(prometheus-postgres-exporter --help 2>&1)
  for flag in "${MON_EXPORTER_FLAGS[@]}"; do
    [[ ! $help =~ collector\."${flag#*collector.}"[[:space:]] ]] || printf '%s\n' "$flag"
  done
}

mon_spawn() { # PROGRAM
  local address=127.0.0.1:${STATE[${MON_PORT[$1]}]}
  local -a program
  case $1 in
    prometheus)
      # A fortnight is enough to look back from; the size keeps a laptop's disk free.
      program=(prometheus --config.file=prometheus.yml --storage.tsdb.path=prometheus
        --storage.tsdb.retention.time=15d --storage.tsdb.retention.size=2GB)
      ;;
    alertmanager) # alone, so without its gossip
      program=(prometheus-alertmanager --config.file=alertmanager.yml --storage.path=alertmanager --cluster.listen-address=)
      ;;
    postgres-exporter)
      program=(env "DATA_SOURCE_URI=127.0.0.1:${STATE[POSTGRES_PORT]}/${STATE[POSTGRES_DB]}?sslmode=disable"
        DATA_SOURCE_USER=payments_exporter DATA_SOURCE_PASS_FILE=.exporter_password
        prometheus-postgres-exporter --extend.query-path=postgres_exporter.yml)
      mapfile -t -O "${#program[@]}" program < <(mon_exporter_flags)
      ;;
  esac
  note "starting $1 on $address"
  : >"$STACK_DIR/logs/$1.log"
  (cd -- "$MON_DIR" && spawn "$STACK_DIR/run/$1.pid" "$STACK_DIR/logs/$1.log" "${MON_AS[@]}" "${program[@]}" "--web.listen-address=$address")
}

mon_start() {
  local program pid sum
  # All that they are started with. Unchanged, they are left alone: a reload drops the alerts that are on their way.
  sum=$({ mon_prometheus_yml && cat "$MON_CONF"/*.yml && printf '%s ' "${STATE[POSTGRES_PORT]} ${STATE[POSTGRES_DB]}"; } | sha256sum | cut -c 1-16)
  if [[ ${STATE[MONITORING]} == "$sum" ]]; then
    for program in "${MON_PROGRAMS[@]}"; do mon_running "$program" || mon_spawn "$program"; done
    return
  fi
  mon_write_conf
  STATE[MONITORING]=$sum
  save_state
  for program in "${MON_PROGRAMS[@]}"; do
    if pid=$(live_pid "$STACK_DIR/run/$program.pid"); then
      # They read their files again; the exporter's are read once only, and PostgreSQL may have another port by now.
      if [[ $program == postgres-exporter ]]; then
        stop_process "$STACK_DIR/run/$program.pid" "$program" TERM 5 KILL 5
        mon_spawn "$program"
      else
        kill -s HUP "$pid"
      fi
    else
      mon_spawn "$program"
    fi
  done
}

mon_wait() {
  local program
  local -i end=$((SECONDS + 60))
  for program in "${MON_PROGRAMS[@]}"; do
    until mon_answers "$program"; do
      mon_running "$program" || die "$program did not start: $(last_error "$STACK_DIR/logs/$program.log"); see: scripts/stack.sh logs $program"
      ((SECONDS < end)) || die "$program is not ready after 60 s: $(mon_says "$program" || echo 'it does not answer'); see: scripts/stack.sh logs $program"
      sleep 0.1
    done
  done
}

mon_stop() {
  local program
  [[ $MON_DIR != - ]] || return 0
  for program in prometheus alertmanager postgres-exporter; do
    stop_process "$STACK_DIR/run/$program.pid" "$program" TERM 30 KILL 5
  done
  # The names are cut to 15 characters by the kernel.
  end_strays MON_AS "$MON_DIR" 'prometheus|prometheus-aler|prometheus-post' TERM KILL
}
