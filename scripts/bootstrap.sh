#!/usr/bin/env -S bash -p
# From a fresh clone to a loaded, verified payments database: one command, safe to run again.
[ -n "${BASH_VERSION:-}" ] || exec bash -p -- "$0" "$@"
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/bootstrap.sh [--docker|--local] [--rows N]

  --docker   use docker compose; --local use PostgreSQL and RabbitMQ from the system's packages (scripts/stack.sh).
             Without either: docker where an engine answers, else local.
  --rows N   how many transactions the database shall hold (default: STAGE_TARGET_TXN, 1,000,000). A target, not an
             amount: what is there already is not loaded again.
TEXT
}

source "$(dirname -- "${BASH_SOURCE[0]}")/node.sh"

mode='' target=''
while (($#)); do
  case $1 in
    --docker | --local) mode=${1#--} ;;
    --rows) target=${2:-}; shift ;;
    --rows=*) target=${1#--rows=} ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
  shift
done
read_env_file
[[ -n $target ]] || target=$(setting STAGE_TARGET_TXN 1000000)
[[ $target =~ ^[0-9]{1,12}$ ]] || die_usage "the number of rows is '$target'; give a whole number, e.g. --rows 1000000"

docker_answers() { command -v docker >/dev/null && docker compose version >/dev/null 2>&1 && docker info >/dev/null 2>&1; }

if [[ -z $mode ]]; then
  if docker_answers; then mode=docker; else mode=local; fi
  note "using the $mode stack"
elif [[ $mode == docker ]] && ! docker_answers; then
  die 'no Docker engine answers (docker info); start it, or use: scripts/bootstrap.sh --local'
fi

# step WHAT HINT COMMAND...: runs it; on failure says which step it was and what to do.
step() {
  local what=$1 hint=$2
  shift 2
  note "$what"
  "$@" || die "failed: $what; the reason is above. $hint"
}

# --- local -----------------------------------------------------------------------------------------------------------
START_S=60

# settings_of PREFIX...: those that a process is started with; its port, for one, changes when another program has taken it.
settings_of() {
  local name prefix
  for prefix; do
    while read -r name; do printf '%s=%s\n' "$name" "${!name}"; done < <(compgen -v "${prefix}_")
    for name in "${!ENV_FILE[@]}"; do
      [[ $name != "${prefix}"_* ]] || printf '%s=%s\n' "$name" "${ENV_FILE[$name]}"
    done
  done | sort
}

# worker_ready, services_ready: they can take work. A worker that serves nothing (port 0) says so in its log.
worker_ready() {
  if ((WORKER_METRICS_PORT)); then
    [[ $(http_get "$WORKER_METRICS_PORT" /readyz) == 200* ]]
  else
    grep -qs 'worker ready' "$STACK_DIR/logs/worker.log"
  fi
}
services_ready() { [[ $(http_get "$HTTP_PORT" /readyz) == 200* ]]; }
simulator_ready() { [[ $(http_get "$SIMULATOR_PORT" /readyz) == 200* ]]; }

# start_process NAME READY COMMAND PREFIX...: COMMAND may have several words; one of each, started again when its code or one of its settings has changed.
start_process() {
  local name=$1 ready=$2 build
  local -a command
  read -ra command <<<"$3"
  local pid_file=$STACK_DIR/run/$1.pid log=$STACK_DIR/logs/$1.log
  shift 3
  build=$({ cd -- "$REPO_ROOT/dist" && find . -name '*.js' -type f -exec sha256sum {} + | sort && settings_of "$@"; } | sha256sum)
  if live_pid "$pid_file" >/dev/null; then
    [[ -r $pid_file.build && $(<"$pid_file.build") == "$build" ]] && return
    note "the code or its settings have changed: restarting $name"
    stop_process "$pid_file" "$name" TERM 120 KILL 5
  fi
  : >"$log"
  (umask 077 && printf '%s\n' "$build" >"$pid_file.build")
  spawn "$pid_file" "$log" node "$REPO_ROOT/dist/app/main.js" "${command[@]}"
  local -i end=$((SECONDS + START_S))
  until "$ready"; do
    live_pid "$pid_file" >/dev/null || die "$name did not start: $(tail -n 1 "$log"); its log: $log"
    ((SECONDS < end)) || die "$name is not ready after $START_S s; see: scripts/stack.sh logs $name"
    sleep 0.1
  done
}

# load: kicks off what is missing and shows progress, with an eye on the worker.
load() {
  local kickoff status=0
  payments kickoff --target "$target" --wait &
  kickoff=$!
  while kill -0 "$kickoff" 2>/dev/null; do
    if ! live_pid "$STACK_DIR/run/worker.pid" >/dev/null; then
      kill "$kickoff" 2>/dev/null || true
      die "the worker died in mid-run: $(tail -n 1 "$STACK_DIR/logs/worker.log"); run this again, it goes on where it stopped"
    fi
    sleep 0.5
  done
  wait "$kickoff" || status=$?
  return "$status"
}

# Preparing is done by one bootstrap at a time; loading may go on side by side, the ledger keeps it apart.
bootstrap_local() {
  make_own_dir "$REPO_ROOT"
  make_own_dir "$REPO_ROOT/.local"
  exec 8>"$REPO_ROOT/.local/bootstrap.lock"
  flock -n 8 || { note 'another bootstrap is preparing, waiting for it' && flock 8; }
  prepare_local 8>&- # what is started here must not hold the lock
  exec 8>&-
  step "loading up to $target transactions" 'See: scripts/stack.sh logs worker' load
}

prepare_local() {
  require_node
  npm_install
  step 'compiling' 'Is this checkout complete?' build
  step 'starting PostgreSQL and RabbitMQ' 'See: scripts/stack.sh status' env MOVE_PROCESSES=1 "$REPO_ROOT/scripts/stack.sh" up
  local settings
  settings=$("$REPO_ROOT/scripts/stack.sh" env)
  eval "$settings"
  export LOG_LEVEL=${LOG_LEVEL:-warn}
  cd -- "$REPO_ROOT"
  step 'migrating the schema' 'See: payments migrate status' payments migrate up
  step 'seeding accounts, merchants and terminals' 'See: payments doctor' payments seed
  step 'giving each account its wallet' 'See: payments doctor' payments wallets seed
  LOG_LEVEL=info start_process worker worker_ready worker POSTGRES RABBITMQ WORKER LOG SELF
  # The gateway where there is no account with a real one.
  [[ $STRIPE_API_KEY != simulated ]] ||
    LOG_LEVEL=info start_process gateway-simulator simulator_ready 'serve gateway-simulator' SIMULATOR LOG
  LOG_LEVEL=info start_process services services_ready serve POSTGRES RABBITMQ HTTP LOG WALLET PAYMENTS FRAUD PAYOUTS STRIPE CAMPAIGNS REPORTS COLLECTOR MONITOR INGEST DATALAKE POLL ENABLE OPENAI AI SELF
  local reporter port
  for reporter in A B C; do
    port=REPORTER_${reporter}_PORT
    LOG_LEVEL=info HTTP_PORT=${!port} SERVICE_NAME=payments-${reporter,} \
      start_process "reporter-$reporter" services_ready 'serve reporter' POSTGRES RABBITMQ HTTP LOG REPORTER SERVICE SELF
  done
  resume_unfinished
}

# A bootstrap that died may have left a run whose messages were never sent; sending them twice does no harm.
resume_unfinished() {
  local run
  for run in $(payments status --json | node -e '
    const { runs } = JSON.parse(require("fs").readFileSync(0, "utf8"));
    console.log(runs.filter((run) => run.state !== "done").map((run) => run.run).join(" "));'); do
    step "resuming $run" 'See: payments status' payments resume "$run"
  done
}

next_steps_local() {
  cat <<TEXT

The API is at http://localhost:$HTTP_PORT, described at http://localhost:$HTTP_PORT/docs. Try next:
  curl http://localhost:$HTTP_PORT/health
  curl 'http://localhost:$HTTP_PORT/wallets?user_id=customer-123'
  eval "\$(scripts/stack.sh env)" && psql -c 'select count(*) from txn'
  eval "\$(scripts/stack.sh env)" && payments verify && payments audit
  curl -X POST http://localhost:$REPORTER_A_PORT/report-windows
  scripts/queue_kickoff.sh --rows 100000 --wait
  scripts/stack.sh up --with-monitoring
Stop everything with scripts/stack.sh down; the data is kept.
TEXT
}

# --- docker ----------------------------------------------------------------------------------------------------------
COMPOSE_SECRETS=(POSTGRES_PASSWORD POSTGRES_ADMIN_PASSWORD RABBITMQ_PASSWORD COMPOSE_SUPERUSER_PASSWORD
  COMPOSE_READER_PASSWORD COMPOSE_EXPORTER_PASSWORD POSTGRES_BACKUP_PASSWORD POSTGRES_APP_PASSWORD COMPOSE_GRAFANA_PASSWORD
  COMPOSE_GATEWAY_KEY COMPOSE_LAKE_PASSWORD STRIPE_WEBHOOK_SECRET)

compose() { docker compose --env-file "$REPO_ROOT/.env" -f "$REPO_ROOT/compose/docker-compose.yml" "$@"; }

# make_compose_secrets: those that .env lacks.
make_compose_secrets() {
  local name file=$REPO_ROOT/.env
  make_own_dir "$REPO_ROOT"
  (umask 077 && touch "$file")
  # What is added must not end up in a last line without an end.
  [[ -z $(tail -c 1 -- "$file") ]] || echo >>"$file"
  for name in "${COMPOSE_SECRETS[@]}"; do
    [[ -n $(setting "$name" '') ]] && continue
    note "making a password for $name in .env"
    printf '%s=%s\n' "$name" "$(random_password)" >>"$file"
  done
  ENV_FILE_READ='' # what was just written is to be read too
  read_env_file
  # Without an account with Stripe, its simulator signs as it would.
  [[ -n $(setting STRIPE_API_KEY '') ]] || echo 'STRIPE_API_KEY=simulated' >>"$file"
  [[ -n $(setting SIMULATOR_WEBHOOK_SECRET '') ]] ||
    printf 'SIMULATOR_WEBHOOK_SECRET=%s\n' "$(setting STRIPE_WEBHOOK_SECRET '')" >>"$file"
  # The services know the gateway's key by its digest only.
  if [[ -z $(setting HTTP_API_KEYS '') ]]; then
    printf 'HTTP_API_KEYS=gateway=%s\n' "$(printf %s "$(setting COMPOSE_GATEWAY_KEY '')" | sha256sum | cut -d ' ' -f 1)" >>"$file"
  fi
  [[ -n $(setting DATALAKE_DATABASE_URL '') ]] ||
    printf 'DATALAKE_DATABASE_URL=postgres://payments_lake:%s@postgres:5432/datalake\n' "$(setting COMPOSE_LAKE_PASSWORD '')" >>"$file"
  # Services that others can reach take signed events only: a first partner, to be replaced.
  if [[ -z $(setting COLLECTOR_SECRETS '') ]]; then
    printf 'COLLECTOR_SECRETS=partner=whsec_%s\n' "$(random_password)" >>"$file"
  fi
  chmod 600 "$file"
}

bootstrap_docker() {
  make_compose_secrets
  # --wait ends when all are healthy, migrated and seeded.
  step 'building and starting the containers' 'See: docker compose --env-file .env -f compose/docker-compose.yml logs' \
    compose up --detach --build --wait
  step "loading up to $target transactions" 'See: docker compose --env-file .env -f compose/docker-compose.yml logs worker' \
    compose exec -T worker payments kickoff --target "$target" --wait
}

next_steps_docker() {
  cat <<TEXT

The API is at http://localhost:$(setting HTTP_PORT 8080). Try next:
  curl http://localhost:$(setting HTTP_PORT 8080)/health
  docker compose --env-file .env -f compose/docker-compose.yml exec worker payments verify
  docker compose --env-file .env -f compose/docker-compose.yml exec worker payments kickoff --rows 100000 --wait
  docker compose --env-file .env -f compose/docker-compose.yml exec worker payments status
  Grafana: http://127.0.0.1:$(setting GRAFANA_PORT 3000), user admin, password COMPOSE_GRAFANA_PASSWORD in .env
Stop everything with docker compose --env-file .env -f compose/docker-compose.yml down; the data is kept.
TEXT
}

"bootstrap_$mode"
"next_steps_$mode"
