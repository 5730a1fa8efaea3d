#!/usr/bin/env -S bash -p
# The one gate: what it passes may land. Runs against servers of its own that it starts and removes.
[ -n "${BASH_VERSION:-}" ] || exec bash -p -- "$0" "$@"
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/test.sh [--in RELEASE] [--postgres MAJOR] [--every-point] [static|unit|browser|int|fault|machines|monitoring]...

  static  formatting, lint, types, dead code, shell scripts, Prometheus' configuration and alert rules
  unit    *.test.ts: unit and property tests, no servers
  browser  *.browser.test.ts: the console's page in Chromium, before a server of the test's own
  int     *.int.test.ts: on a real PostgreSQL and RabbitMQ
  fault   *.fault.test.ts: the same, with servers and workers killed under them
  machines  *.machines.test.ts: what takes long: upgrade, bootstrap, TLS and standbys, services apart, what may befall backups
  monitoring  *.monitoring.test.ts: with Prometheus beside them: every panel has data, alerts fire and resolve
  --every-point  repeats a scenario at every point that it has, not at some
  --in    the same on another release, in a system of its own: debian-13, debian-testing. Needs root; see scripts/test_in.sh --help
  --postgres  int, or the parts given, on a server of that version from npm, fetched for this call: 18. No machines, for no client comes with it

machines and monitoring are not run by default, for they take minutes. CI runs them, and --every-point, each week and for each tag; run
them before an issue is closed.

Static checks run beside the unit tests. int, fault and machines share several stacks of servers: each test file has one for itself while it runs,
and most of a file's time is spent waiting for servers and programs to start. Installs what is missing (npm packages, shellcheck, promtool,
Chromium, PostgreSQL, PgBouncer, HAProxy, RabbitMQ). TEST_STACK_COUNT says how many stacks (default 3). TEST_KEEP_STACK=1 leaves them running for the next call.
The last line is: N passed, N failed.
TEXT
}

# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=node.sh disable=SC1091
source "$REPO_ROOT/scripts/node.sh"

if [[ ${1:-} == --in ]]; then exec "$REPO_ROOT/scripts/test_in.sh" "${@:2}"; fi
parts=()
postgres=''
unset TEST_EVERY_POINT TEST_LEFT_OUT STACK_POSTGRES_BIN
while (($#)); do
  case $1 in
    static | unit | browser | int | fault | machines | monitoring) parts+=("$1") ;;
    --every-point) export TEST_EVERY_POINT=1 ;; # read by tests/harness/sampled.ts
    --postgres)
      postgres=${2:-}
      [[ $postgres =~ ^[0-9]+$ ]] || die_usage '--postgres takes a version: 18'
      shift
      ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
  shift
done
((${#parts[@]})) || if [[ -n $postgres ]]; then parts=(int); else parts=(static unit browser int fault); fi
wanted() { [[ " ${parts[*]} " == *" $1 "* ]]; }
[[ -z $postgres ]] || ! wanted machines ||
  die_usage "machines are backed up and copied, by programs of PostgreSQL $postgres that --postgres does not bring; leave one of them out"

# Tests have stacks of their own, small and on free ports, and none of the caller's settings.
export STACK_PORTS=free STACK_MEMORY_MB=1024 PAYMENTS_ENV_FILE=/dev/null
unset "${!POSTGRES_@}" "${!RABBITMQ_@}" "${!PROMETHEUS_@}" "${!ALERTMANAGER_@}" "${!STAGE_@}" "${!WORKER_@}" "${!BACKUP_@}"
unset "${!LOG_@}" "${!PG@}"
export LOG_LEVEL=warn NO_COLOR=1
mapfile -t stacks < <(seq "${TEST_STACK_COUNT:-3}")

passed=0 failed=0
check() { # check NAME COMMAND...
  local name=$1 started=$SECONDS
  shift
  if "$@"; then
    passed=$((passed + 1))
    printf 'ok    %s (%d s)\n' "$name" $((SECONDS - started))
  else
    failed=$((failed + 1))
    printf 'FAIL  %s: %s\n' "$name" "$*"
  fi
}

work=$(mktemp -d)
aside=() # what runs beside, by process id

run_vitest() { # run_vitest PROJECT...: leaves its counts, passed and failed, in a file
  local report=$work/$1.json counts ended_badly='' started=$SECONDS
  node_modules/.bin/vitest run "${@/#/--project=}" --reporter=default --reporter=json --outputFile.json="$report" ||
    ended_badly=1
  # A run that ends badly without a failed test (an unhandled error, no test found) is a failure all the same.
  counts=$(node -e '
    const report = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8") || "{}");
    const broken = (report.testResults ?? []).filter((file) => file.status === "failed" && !file.assertionResults.length);
    const failed = (report.numFailedTests ?? 0) + broken.length;
    console.log(report.numPassedTests ?? 0, failed || Number(process.argv[2] !== ""));' "$report" "$ended_badly") || counts='0 1'
  printf '%s\n' "$counts" >"$work/$1.counts"
  printf '%s tests: %d s\n' "$*" $((SECONDS - started))
}

add_counts() { # add_counts NAME: none were left by what did not get that far
  local counts='0 1'
  [[ ! -e $work/$1.counts ]] || read -r counts <"$work/$1.counts"
  passed=$((passed + ${counts% *}))
  failed=$((failed + ${counts#* }))
}

# install_missing: at once, as apt-get does nothing side by side; servers are installed by the first stack.
install_missing() {
  local -a missing=()
  if wanted static; then
    command -v shellcheck >/dev/null || missing+=(shellcheck)
    { command -v promtool && command -v amtool; } >/dev/null || missing+=(prometheus prometheus-alertmanager)
  fi
  ! wanted int || [[ -x /usr/sbin/pgbouncer ]] || missing+=(pgbouncer)
  ! wanted int || command -v curl >/dev/null || missing+=(curl) # docs/api.md is run as it stands
  ((${#on_servers[@]} == 0)) || [[ -x /usr/sbin/haproxy ]] || missing+=(haproxy)
  ! { wanted browser || wanted int; } || [[ -x ${CHROMIUM:-/usr/bin/chromium} ]] || missing+=(chromium fonts-dejavu-core)
  ((${#missing[@]} == 0)) || apt_install "${missing[@]}"
}

static_checks() { # leaves its counts in a file
  check 'format and lint' node_modules/.bin/biome ci --error-on-warnings .
  check 'types' node_modules/.bin/tsc --noEmit
  check 'types of the console' node_modules/.bin/tsc -p console
  check 'dead code' node_modules/.bin/knip
  mapfile -t shell_files < <(git ls-files -co --exclude-standard -- '*.sh' .ci/run bin/payments)
  check 'shell scripts' shellcheck "${shell_files[@]}"
  check 'Prometheus configuration' promtool check config prometheus/prometheus.yml
  check 'alert rules' promtool test rules prometheus/alerts_test.yml
  check 'Alertmanager configuration' amtool check-config prometheus/alertmanager.yml
  printf '%s\n' "$passed $failed" >"$work/static.counts"
}

stack_dir() { printf '%s\n' "$REPO_ROOT/.local/test-${postgres:+postgres-$postgres-}$1"; }

# use_postgres: a server of that version for all stacks. What makes backups or a cluster of its own wants clients of it, too.
use_postgres() {
  STACK_POSTGRES_BIN=$("$REPO_ROOT/scripts/test_postgres.sh" "$postgres") || exit
  export STACK_POSTGRES_BIN
  [[ -x /usr/lib/postgresql/$postgres/bin/pg_dump ]] && return
  TEST_LEFT_OUT=$(git grep --untracked -lE 'harness/(backup_folder|cluster)\.js"' -- '*.int.test.ts' '*.fault.test.ts' | paste -s -d ' ')
  export TEST_LEFT_OUT # read by vitest.config.ts
  note "left out, for pg_dump of PostgreSQL $postgres is not installed: $TEST_LEFT_OUT"
}

start_stack() ( # start_stack NAME: leaves its settings, a line of JSON, in a file
  STACK_DIR=$(stack_dir "$1")
  export STACK_DIR
  scripts/stack.sh up || exit
  settings=$(scripts/stack.sh env) || exit
  eval "$settings"
  # What is killed here are processes, not the machine. A copy of a database is 660 files: to sync them took more than to copy them.
  # Not where machines are tested: base backups and what is restored from them would take the setting along.
  local fsync=off
  ! wanted machines || fsync=on
  PGPASSWORD=$(<"$STACK_DIR/secrets/postgres_password") psql -XqU postgres -d postgres -c "ALTER SYSTEM SET fsync = $fsync" \
    -c 'SELECT pg_reload_conf()' >/dev/null || exit
  # Each test file makes a vhost of its own, for which the broker wants an administrator.
  scripts/stack.sh rabbitmqctl -q set_user_tags "$RABBITMQ_USER" administrator || exit
  node -p 'JSON.stringify(Object.fromEntries(Object.entries(process.env).filter(
    ([name]) => /^(STACK_DIR$|POSTGRES_|RABBITMQ_|DATALAKE_|PG|WORKER_)/.test(name))))' >"$work/$1.stack"
)

# start_stacks NAME...: one after another, as two that look for free ports at once may find the same.
start_stacks() {
  local name
  for name; do start_stack "$name" || return; done
}

server_tests() { # server_tests STACKS PROJECT...: on stacks of these names, which were started
  local -a files
  read -ra files <<<"${1// /.stack }.stack"
  TEST_STACKS=$(cd -- "$work" && cat -- "${files[@]}") || return
  TEST_STACKS=$TEST_STACKS run_vitest "${@:2}"
}

# shellcheck disable=SC2317 # called by the trap
clean_up() {
  local stack pid
  # An interrupt reaches only the one in front.
  for pid in "${aside[@]}"; do
    ! kill -0 "$pid" 2>/dev/null || { pkill -TERM -P "$pid" || true; wait "$pid" || true; }
  done
  for stack in "${stacks[@]}" monitoring; do
    [[ -n ${TEST_KEEP_STACK:-} || ! -e $(stack_dir "$stack") ]] || STACK_DIR=$(stack_dir "$stack") scripts/stack.sh reset --yes &
  done
  wait
  [[ -z $postgres || -n ${TEST_KEEP_STACK:-} ]] || rm -rf -- "$REPO_ROOT/.local/postgres-$postgres"
  rm -rf -- "$work"
}
trap clean_up EXIT

cd -- "$REPO_ROOT"
require_node
npm_install
build
on_servers=()
for part in int fault machines; do ! wanted "$part" || on_servers+=("$part"); done
install_missing
[[ -z $postgres ]] || use_postgres

if ((${#on_servers[@]})); then
  start_stacks "${stacks[@]}" >"$work/stacks.log" 2>&1 &
  aside+=($!)
fi
if wanted static; then
  static_checks >"$work/static.log" 2>&1 &
  aside+=($!)
fi
if wanted unit; then
  run_vitest unit
  add_counts unit
fi
if wanted browser; then
  run_vitest browser
  add_counts browser
fi
for pid in "${aside[@]}"; do wait "$pid" || true; done
aside=()
if wanted static; then
  cat -- "$work/static.log"
  add_counts static
fi
if ((${#on_servers[@]})); then
  cat -- "$work/stacks.log"
  server_tests "${stacks[*]}" "${on_servers[@]}" || true
  add_counts "${on_servers[0]}"
fi
if wanted monitoring; then
  if start_stacks monitoring; then server_tests monitoring monitoring || true; fi
  add_counts monitoring
fi

clean_up
trap - EXIT
printf '%d passed, %d failed\n' "$passed" "$failed"
((failed == 0))
