# shellcheck shell=bash
# Two more nodes of the local stack's RabbitMQ: a cluster of three on one machine; sourced by stack.sh. They are wanted from
# `up --with-cluster` on, until `up --without-cluster`. The first node is the one that is there anyway.

CLUSTER_NODES=(2 3)

# STATE[CLUSTER]: wanted, then joined; leaving when it is not wanted any more.
cluster_wanted() { [[ -n ${STATE[CLUSTER]:-} ]]; }

# as_node NODE COMMAND...: with RMQ_* of that node.
as_node() {
  rmq_setup "$1"
  "${@:2}"
  rmq_setup
}

cluster_node_answers() (
  rmq_setup "$1"
  rmq_answers
)

each_node() { # COMMAND...
  local node
  for node in "${CLUSTER_NODES[@]}"; do as_node "$node" "$@"; done
}

cluster_start_node() {
  running "$RMQ_PROGRAM" && return
  rmq_end_strays
  rmq_choose_ports
  rmq_setup "${RMQ_PROGRAM#rabbitmq-}" # its environment holds ports
  save_state
  rmq_start
}

cluster_start_member() { [[ ! -d $RMQ_DIR/mnesia ]] || cluster_start_node; }

# cluster_start: beside the first node, which waits for a majority once it is one of three.
cluster_start() { ! cluster_wanted || each_node cluster_start_member; }

cluster_join_node() { # joins by itself, as it has no data yet
  cluster_start_node
  rmq_wait
}

# queues_tool COMMAND...: rabbitmq-queues on the first node.
queues_tool() {
  local out
  out=$("${RMQ_AS[@]}" timeout 300 "$RMQ_HOME/bin/rabbitmq-queues" -q "$@" 2>&1) || die "rabbitmq-queues $*: ${out//$'\n'/; }"
}

cluster_join() {
  local node
  for node in "${CLUSTER_NODES[@]}"; do # one whose leaving was interrupted
    [[ -d $DATA_DIR/rabbitmq-$node/mnesia ]] || cluster_forget "$(rmq_node_name "$node")"
  done
  each_node cluster_join_node
  # Queues that were declared on one node get their two other members; those that come have three by RabbitMQ's default.
  for node in "${CLUSTER_NODES[@]}"; do queues_tool grow "$(rmq_node_name "$node")" all; done
  rmq_ctl set_user_tags payments management monitoring # a user of before may see its own vhosts only, and doctor asks for the nodes
  STATE[CLUSTER]=joined
  save_state
}

# cluster_leave: one node after the other gives its members back.
cluster_leave() {
  local node name
  # With the second node away the first would be no majority, and pause.
  rmq_ctl eval 'application:set_env(rabbit, cluster_partition_handling, ignore).'
  for node in "${CLUSTER_NODES[@]}"; do
    name=$(rmq_node_name "$node")
    if [[ -d $DATA_DIR/rabbitmq-$node/mnesia ]]; then
      as_node "$node" rmq_wait
      queues_tool shrink "$name"
      as_node "$node" rmq_stop_node
    fi
    # Its data first: an `up` that was interrupted in between would start a node from it that the others have forgotten, which they refuse.
    as_node "$node" cluster_delete_node
    cluster_forget "$name"
  done
  STATE[CLUSTER]=''
  save_state
}

cluster_forget() { # NAME: where the first node knows of it
  local out
  out=$("${RMQ_AS[@]}" timeout 120 "$RMQ_HOME/bin/rabbitmqctl" -q cluster_status --formatter json 2>&1) ||
    die "rabbitmqctl cluster_status: ${out//$'\n'/; }"
  [[ $out != *"\"$1\""* ]] || rmq_ctl forget_cluster_node "$1"
}

cluster_delete_node() {
  local kind
  if [[ -d $RMQ_DIR ]]; then
    [[ ! -d $RMQ_DIR/mnesia ]] || "${RMQ_AS[@]}" mv -- "$RMQ_DIR/mnesia" "$RMQ_DIR/deleted" # at once: half of it must not be started
    "${RMQ_AS[@]}" find "$RMQ_DIR" -mindepth 1 -delete
    rmdir -- "$RMQ_DIR"
  fi
  rm -f -- "$RMQ_LOG"
  for kind in PORT MGMT_PORT PROMETHEUS_PORT DIST_PORT; do unset "STATE[${RMQ_KEY}_$kind]" "STATE[WISH_${RMQ_KEY}_$kind]"; done
}

up_cluster() {
  case ${STATE[CLUSTER]:-} in
    wanted) cluster_join ;;
    joined) each_node rmq_wait ;;
    leaving) cluster_leave ;;
  esac
}
