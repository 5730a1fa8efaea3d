# shellcheck shell=bash
# Prometheus, postgres_exporter and Alertmanager of the local stack; sourced by stack.sh, which sets STACK_DIR, DATA_DIR and
# STATE. They are wanted from `up --with-monitoring` on, until `up --without-monitoring`.

MON_DIR=-
MON_PROGRAMS=(postgres-exporter alertmanager prometheus)
MON_CONF=${STACK_PROMETHEUS_DIR:-$REPO_ROOT/prometheus}
# As compose gives them to its exporter: what the query file has under the exporter's own names must not come twice.
MON_EXPORTER_FLAGS=(--no-collector.postmaster --no-collector.stat_user_tables --no-collector.wal --collector.stat_checkpointer)
declare -A MON_DEFAULT_PORT=([prometheus]=9090 [alertmanager]=9093 [postgres-exporter]=9187)
declare -A MON_PORT=([prometheus]=PROMETHEUS_PORT [alertmanager]=ALERTMANAGER_PORT [postgres-exporter]=POSTGRES_EXPORTER_PORT)

mon_wanted() { [[ -n ${STATE[MONITORING]:-} ]]; }

mon_setup() { # where it was, also when it is not wanted any more
  [[ -d $DATA_DIR/monitoring ]] || mon_wanted || return 0
  MON_DIR=$DATA_DIR/monitoring
  run_as "$(server_user prometheus)"
  MON_AS=("${RUN_AS[@]}" "HOME=$MON_DIR")
}

mon_answers() { # PROGRAM
  local path=/metrics
  [[ $1 == postgres-exporter ]] || path=/-/ready
  [[ $(http_get "${STATE[${MON_PORT[$1]}]}" "$path") == 200* ]]
}

mon_choose_ports() {
  local program
  for program in "${MON_PROGRAMS[@]}"; do
    running "$program" || choose_port "${MON_PORT[$program]}" "${MON_DEFAULT_PORT[$program]}"
  done
}

# mon_prometheus_yml: the file that compose uses, with our addresses in place of its services'.
mon_prometheus_yml() {
  here() { # NAME...: those that have a port
    local name targets=''
    for name; do [[ -z ${STATE[$name]:-} ]] || targets+="${targets:+, }\"127.0.0.1:${STATE[$name]}\""; done
    printf 'static_configs: [{ targets: [%s] }]' "$targets"
  }
  sed -E \
    -e "s/dns_sd_configs: .*names: \[worker\].*/$(here WORKER_METRICS_PORT)/" \
    -e "s/dns_sd_configs:\$/$(here HTTP_PORT REPORTER_A_PORT REPORTER_B_PORT REPORTER_C_PORT)/" -e '/^ +- \{ names: /d' \
    -e "s/dns_sd_configs: .*names: \[alertmanager\].*/$(here ALERTMANAGER_PORT)/" \
    -e "s/static_configs: .*postgres-exporter:.*/$(here POSTGRES_EXPORTER_PORT)/" \
    -e "s/static_configs: .*rabbitmq:.*/$(here RABBITMQ_PROMETHEUS_PORT RABBITMQ_2_PROMETHEUS_PORT RABBITMQ_3_PROMETHEUS_PORT)/" \
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
  if [[ ${STATE[MONITORING]} != "$sum" ]]; then
    mon_write_conf
    STATE[MONITORING]=$sum
    save_state
    # The exporter reads its files once only, and PostgreSQL may have another port by now. The others read theirs again.
    stop_process "$STACK_DIR/run/postgres-exporter.pid" postgres-exporter TERM 5 KILL 5
    for program in alertmanager prometheus; do
      pid=$(live_pid "$STACK_DIR/run/$program.pid") && kill -s HUP "$pid"
    done
  fi
  for program in "${MON_PROGRAMS[@]}"; do running "$program" || mon_spawn "$program"; done
}

mon_wait() {
  local program
  for program in "${MON_PROGRAMS[@]}"; do wait_for "$program" 60 mon_answers "$program"; done
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
