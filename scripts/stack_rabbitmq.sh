# shellcheck shell=bash
# RabbitMQ of the local stack; sourced by stack.sh, which sets STACK_DIR, DATA_DIR, STACK_ID and STATE.
#
# The programs in /usr/sbin insist on the system's own node, so those under /usr/lib/rabbitmq are called directly, in an
# environment that names every file, port and address. Node and epmd are ours alone: several stacks run side by side.

RMQ_HOME=/usr/lib/rabbitmq
RMQ_DIR=-
NET_TICK_S=15 # a node that the others do not hear is given up after this, give or take a quarter; its clients stand still meanwhile

rmq_node_name() { printf 'payments_%s@localhost\n' "$STACK_ID${1:+_$1}"; } # [NODE]

# rmq_setup [NODE]: of the node that is there anyway, or of another one of a cluster (2, 3).
rmq_setup() {
  RMQ_PROGRAM=rabbitmq${1:+-$1}
  RMQ_KEY=RABBITMQ${1:+_$1} # its ports in STATE
  RMQ_DIR=$DATA_DIR/$RMQ_PROGRAM
  RMQ_LOG=$STACK_DIR/logs/$RMQ_PROGRAM-start.log # before the node's own log, in RMQ_DIR/log, is open
  run_as "$(server_user rabbitmq)"
  local net="-kernel inet_dist_use_interface {127,0,0,1} -kernel net_ticktime $NET_TICK_S"
  RMQ_AS=("${RUN_AS[@]}" "HOME=$RMQ_DIR" # where Erlang looks for the cookie
    "RABBITMQ_NODENAME=$(rmq_node_name "${1:-}")"
    "RABBITMQ_DIST_PORT=${STATE[${RMQ_KEY}_DIST_PORT]:-}"
    "ERL_EPMD_PORT=${STATE[EPMD_PORT]:-}" ERL_EPMD_ADDRESS=127.0.0.1
    "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=$net" "RABBITMQ_CTL_ERL_ARGS=$net"
    "RABBITMQ_MNESIA_BASE=$RMQ_DIR/mnesia" "RABBITMQ_LOG_BASE=$RMQ_DIR/log"
    "RABBITMQ_CONFIG_FILE=$RMQ_DIR/rabbitmq.conf" "RABBITMQ_ENABLED_PLUGINS_FILE=$RMQ_DIR/enabled_plugins"
    # Nothing of the system's own broker: these do not exist.
    "RABBITMQ_CONFIG_FILES=$RMQ_DIR/none" "RABBITMQ_ADVANCED_CONFIG_FILE=$RMQ_DIR/none" "RABBITMQ_CONF_ENV_FILE=$RMQ_DIR/none"
    RUNNING_UNDER_SYSTEMD=true) # makes the start script exec the node, so that the pid we get is the node's
}

# rmq_http: the management API's answer to our user. 200 means that broker, plugin, user and password work.
rmq_http() {
  local auth
  auth=$(printf 'payments:%s' "$(<"$STACK_DIR/secrets/rabbitmq_password")" | base64 -w 0)
  http_get "${STATE[${RMQ_KEY}_MGMT_PORT]}" /api/whoami "Authorization: Basic $auth"
}
rmq_places() { # all nodes, as a list in RABBITMQ_HOST
  local node places
  places=$(at RABBITMQ_PORT)
  ! cluster_wanted || for node in "${CLUSTER_NODES[@]}"; do places+=,$(at "RABBITMQ_${node}_PORT"); done
  printf '%s\n' "$places"
}
rmq_answers() { # the AMQP port opens last in a boot
  port_taken "${STATE[${RMQ_KEY}_PORT]}" && port_taken "${STATE[${RMQ_KEY}_PROMETHEUS_PORT]}" && [[ $(rmq_http) == 200* ]]
}

# rmq_conf: the defaults make vhost and user when the node's database is empty; guest never exists.
rmq_conf() {
  local -i mb
  mb=$(setting STACK_MEMORY_MB "$(memory_mb)")
  ! cluster_wanted || mb=$((mb / 3))
  cat <<CONF
# Written by scripts/stack.sh at every start.
listeners.tcp.default = 127.0.0.1:${STATE[${RMQ_KEY}_PORT]}
management.tcp.ip = 127.0.0.1
management.tcp.port = ${STATE[${RMQ_KEY}_MGMT_PORT]}
prometheus.tcp.ip = 127.0.0.1
prometheus.tcp.port = ${STATE[${RMQ_KEY}_PROMETHEUS_PORT]}
# A node that sees no majority stops serving: else it would take messages that no quorum keeps, and clients would stay with it.
cluster_partition_handling = pause_minority
default_vhost = payments
default_user = payments
default_pass = $(<"$STACK_DIR/secrets/rabbitmq_password")
default_user_tags.administrator = false
default_user_tags.management = true
default_user_tags.monitoring = true
default_permissions.configure = .*
default_permissions.read = .*
default_permissions.write = .*
# Alarms that block publishers: before the disk is full, and before PostgreSQL lacks memory.
disk_free_limit.absolute = 200MB
vm_memory_high_watermark.absolute = $(clamp $((mb / 8)) 512 2048)MiB
# Quorum queues keep their log in memory until it rolls over; at its default of 512 MB that alone reached the watermark.
raft.wal_max_size_bytes = 67108864
log.console = false
log.file = rabbitmq.log
log.file.level = info
log.file.rotation.size = 20971520
log.file.rotation.count = 5
CONF
  if cluster_wanted; then
    cat <<CONF
cluster_formation.peer_discovery_backend = classic_config
cluster_formation.classic_config.nodes.1 = $(rmq_node_name)
cluster_formation.classic_config.nodes.2 = $(rmq_node_name 2)
cluster_formation.classic_config.nodes.3 = $(rmq_node_name 3)
CONF
  fi
}

rmq_choose_ports() { # a node of a cluster takes free ones
  local first=''
  [[ $RMQ_PROGRAM != rabbitmq ]] || first=1
  choose_port "${RMQ_KEY}_PORT" "${first:+5672}"
  choose_port "${RMQ_KEY}_MGMT_PORT" "${first:+15672}"
  choose_port "${RMQ_KEY}_PROMETHEUS_PORT" "${first:+15692}"
  choose_port "${RMQ_KEY}_DIST_PORT" ''
  [[ -z $first ]] || choose_port EPMD_PORT ''
}

rmq_end_strays() { # epmd, and the helper processes of a killed node
  [[ $RMQ_PROGRAM != rabbitmq ]] || stop_process "$STACK_DIR/run/epmd.pid" epmd TERM 5 KILL 5
  end_strays RMQ_AS "$RMQ_DIR" 'beam.smp|epmd|erl_child_setup|inet_gethost' TERM KILL
}

epmd_start() {
  spawn "$STACK_DIR/run/epmd.pid" "$STACK_DIR/logs/epmd.log" "${RMQ_AS[@]}" epmd -address 127.0.0.1 -port "${STATE[EPMD_PORT]}"
}

rmq_start() {
  make_server_dir "$RMQ_DIR" rabbitmq
  "${RMQ_AS[@]}" mkdir -p "$RMQ_DIR/mnesia" "$RMQ_DIR/log"
  rmq_conf | put_file RMQ_AS "$RMQ_DIR/rabbitmq.conf"
  echo '[rabbitmq_management,rabbitmq_prometheus].' | put_file RMQ_AS "$RMQ_DIR/enabled_plugins"
  put_file RMQ_AS "$RMQ_DIR/.erlang.cookie" <"$STACK_DIR/secrets/erlang_cookie"
  note "starting RabbitMQ on 127.0.0.1:${STATE[${RMQ_KEY}_PORT]}"
  : >"$RMQ_LOG"
  cd -- "$RMQ_DIR" || exit # by its working directory a node is known as ours even when its pid file is lost
  running epmd || epmd_start
  spawn "$STACK_DIR/run/$RMQ_PROGRAM.pid" "$RMQ_LOG" "${RMQ_AS[@]}" "$RMQ_HOME/bin/rabbitmq-server"
  cd / || exit
}

rmq_wait() { wait_for "$RMQ_PROGRAM" 180 rmq_lets_in; }

rmq_lets_in() {
  rmq_answers && return
  [[ $(rmq_http) != 401* ]] ||
    die "RabbitMQ refuses the password in $STACK_DIR/secrets; restore it, or start anew: scripts/stack.sh reset --yes"
  return 1
}

# rmq_provision: a node born with this version has every stable feature flag on, one that was upgraded has not, and
# quorum queues with at-least-once dead-lettering need them. Once per version, as the tool takes seconds to start.
rmq_provision() {
  local version
  version=$(basename -- "$RMQ_HOME"/lib/rabbitmq_server-*)
  [[ ${STATE[RABBITMQ_FLAGS]:-} == "$version" ]] && return
  rmq_ctl enable_feature_flag all
  STATE[RABBITMQ_FLAGS]=$version
  save_state
}

# rmq_ctl COMMAND...: rabbitmqctl, which must succeed.
rmq_ctl() {
  local out
  out=$("${RMQ_AS[@]}" timeout 120 "$RMQ_HOME/bin/rabbitmqctl" -q "$@" 2>&1) || die "rabbitmqctl $*: ${out//$'\n'/; }"
}

rmq_stop_node() {
  stop_process "$STACK_DIR/run/$RMQ_PROGRAM.pid" "$RMQ_PROGRAM" TERM 60 KILL 10
  rmq_end_strays
}

# rmq_stop: all nodes at once. One after the other, those that are left would be no majority any more, and pause.
rmq_stop() {
  local node
  local -a waits=() nodes=('')
  ! cluster_wanted || nodes+=("${CLUSTER_NODES[@]}")
  for node in "${nodes[@]}"; do
    rmq_setup "$node"
    stop_process "$STACK_DIR/run/$RMQ_PROGRAM.pid" "$RMQ_PROGRAM" TERM 60 KILL 10 9>&- &
    waits+=($!)
  done
  for node in "${waits[@]}"; do wait "$node"; done
  for node in "${nodes[@]}"; do
    rmq_setup "$node"
    rmq_end_strays
  done
  rmq_setup
}
