# shellcheck shell=bash
# Two nodes of campaigns and HAProxy before them; sourced by stack.sh, which sets STACK_DIR and STATE. They are wanted from
# `up --with-proxy` on, until `up --without-proxy`.

HAPROXY=/usr/sbin/haproxy
PROXY_NODES=(1 2)

proxy_wanted() { [[ -n ${STATE[PROXY]:-} ]]; }

proxy_choose_ports() {
  local node
  running proxy || choose_port PROXY_PORT 8088
  for node in "${PROXY_NODES[@]}"; do
    running "campaigns-$node" || choose_port "PROXY_NODE_${node}_PORT" "800$node"
  done
}

proxy_node_ready() { [[ $(http_get "${STATE[PROXY_NODE_$1_PORT]}" /readyz) == 200* ]]; } # NODE
proxy_answers() { [[ -n $(http_get "${STATE[PROXY_PORT]}" /livez) ]]; }

proxy_start_node() { # NODE
  local name=campaigns-$1 settings
  note "starting $name on 127.0.0.1:${STATE[PROXY_NODE_$1_PORT]}"
  : >"$STACK_DIR/logs/$name.log"
  settings=$(cmd_env)
  (
    eval "$settings"
    # HAProxy sees within two checks of 250 ms that a node ends.
    export HTTP_PORT=${STATE[PROXY_NODE_$1_PORT]} HTTP_DRAIN_MS=${HTTP_DRAIN_MS:-600} LOG_LEVEL=${LOG_LEVEL:-info}
    spawn "$STACK_DIR/run/$name.pid" "$STACK_DIR/logs/$name.log" node "$REPO_ROOT/dist/app/main.js" serve campaigns
  )
  wait_for "$name" 60 proxy_node_ready "$1"
}

# proxy_start [--with-proxy]: what does not run. Asked for by name, nodes that run are started again with the code of today, one after
# the other.
proxy_start() {
  local node
  [[ -e $REPO_ROOT/dist/app/main.js ]] || die 'the nodes of campaigns need a build; run scripts/bootstrap.sh first'
  for node in "${PROXY_NODES[@]}"; do
    [[ ${1:-} != --with-proxy ]] || proxy_stop_node "$node"
    running "campaigns-$node" || proxy_start_node "$node"
  done
  running proxy && return
  note "starting HAProxy on 127.0.0.1:${STATE[PROXY_PORT]}"
  : >"$STACK_DIR/logs/proxy.log"
  spawn "$STACK_DIR/run/proxy.pid" "$STACK_DIR/logs/proxy.log" env -i "PATH=$PATH" \
    "PROXY_ADDRESS=127.0.0.1:${STATE[PROXY_PORT]}" \
    "PROXY_NODE_1=127.0.0.1:${STATE[PROXY_NODE_1_PORT]}" "PROXY_NODE_2=127.0.0.1:${STATE[PROXY_NODE_2_PORT]}" \
    "$HAPROXY" -db -f "$REPO_ROOT/compose/haproxy_campaigns.cfg"
  wait_for proxy 15 proxy_answers
}

proxy_stop_node() { stop_process "$STACK_DIR/run/campaigns-$1.pid" "campaigns-$1" TERM 60 KILL 5; } # NODE

proxy_stop() {
  local node
  stop_process "$STACK_DIR/run/proxy.pid" proxy TERM 5 KILL 5
  for node in "${PROXY_NODES[@]}"; do proxy_stop_node "$node"; done
}
