#!/usr/bin/env -S bash -p
# Kills, freezes, cuts and restarts everything under a load, by a seed, and proves that nothing of it shows in the data.
# Its servers are its own, under .local/chaos; --help says the rest.
[ -n "${BASH_VERSION:-}" ] || exec bash -p -- "$0" "$@"
set -euo pipefail

source "$(dirname -- "${BASH_SOURCE[0]}")/node.sh"

keep='' dry='' args=()
for arg; do
  case $arg in
    --keep) keep=1 ;;
    --print-schedule) dry=1 args+=("$arg") ;;
    -h | --help) dry=1 args+=(--help) ;;
    *) args+=("$arg") ;;
  esac
done

# None of the caller's settings; a stack and a build of the rig's own, the latter beside whatever dist/ holds.
unset "${!POSTGRES_@}" "${!RABBITMQ_@}" "${!HTTP_@}" "${!LOG_@}" "${!STAGE_@}" "${!WORKER_@}" "${!BACKUP_@}" "${!PG@}"
unset "${!PAYMENTS_@}" "${!FRAUD_@}" "${!WALLET_@}" "${!PAYOUTS_@}" "${!STRIPE_@}" "${!SIMULATOR_@}"
export STACK_DIR=$REPO_ROOT/.local/chaos STACK_PORTS=free STACK_MEMORY_MB=2048
export PAYMENTS_ENV_FILE=/dev/null
export CHAOS_LOG_DIR=$REPO_ROOT/.local/chaos-rig/logs
build_dir=$REPO_ROOT/.local/chaos-rig/build
rig=$build_dir/tests/chaos/main.js

cd -- "$REPO_ROOT"
require_node
npm_install
rm -rf -- "$build_dir"
node_modules/.bin/tsc -p tests/chaos --outDir "$build_dir" >&2 || die 'the build failed; the errors are above'
[[ -z $dry ]] || exec node --enable-source-maps "$rig" "${args[@]}"
node "$rig" "${args[@]}" --print-schedule >/dev/null # a wrong option is better told before the servers start

# shellcheck disable=SC2317,SC2329 # called by the trap
drop_stack() {
  ((rig_status == 0)) || keep_logs || true
  [[ -n $keep ]] || scripts/stack.sh reset --yes || true
}
# shellcheck disable=SC2317,SC2329
keep_logs() { # the servers', beside the workers'
  mkdir -p "$CHAOS_LOG_DIR/servers"
  cp -r -- "$STACK_DIR/logs" "$STACK_DIR"/data/postgres/log "$STACK_DIR"/data/rabbitmq/log "$CHAOS_LOG_DIR/servers"
  note "the logs of workers and servers are in $CHAOS_LOG_DIR"
}

rig_status=1
# One rig at a time: two would share servers, and one's kill would be the other's surprise.
make_own_dir "$CHAOS_LOG_DIR"
rm -rf -- "$CHAOS_LOG_DIR/servers"
exec 8>"$REPO_ROOT/.local/chaos-rig/lock"
flock -n 8 || die "another chaos.sh is at work here; find it with: fuser -v '$REPO_ROOT/.local/chaos-rig/lock'"
[[ ! -e $STACK_DIR/state ]] || scripts/stack.sh reset --yes
trap drop_stack EXIT
scripts/stack.sh up
# In the background, so that a signal reaches us at once; the rig then ends its workers before the servers go.
node --enable-source-maps "$rig" "${args[@]}" 8>&- &
pid=$!
trap 'kill -s TERM "$pid" 2>/dev/null || true' INT TERM HUP
rig_status=0
wait "$pid" || rig_status=$?
while kill -0 "$pid" 2>/dev/null; do # a signal ends the wait before the rig
  rig_status=0
  wait "$pid" || rig_status=$?
done
exit "$rig_status"
