#!/usr/bin/env bash
# The one gate: what it passes may land. Runs everything by default, against servers of its own that it starts and removes.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/test.sh [static|unit|int|fault]...

  static  formatting, lint, types, dead code, shell scripts
  unit    *.test.ts: unit and property tests, no servers
  int     *.int.test.ts: on a real PostgreSQL and RabbitMQ
  fault   *.fault.test.ts: the same, with servers and workers killed under them

Installs what is missing (npm packages, shellcheck, PostgreSQL, RabbitMQ). TEST_KEEP_STACK=1 leaves the test servers
running for the next call. The last line is: N passed, N failed.
TEXT
}

# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC1091
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=node.sh disable=SC1091
source "$REPO_ROOT/scripts/node.sh"

parts=("$@")
((${#parts[@]})) || parts=(static unit int fault)
for part in "${parts[@]}"; do
  case $part in
    static | unit | int | fault) ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
done
wanted() { [[ " ${parts[*]} " == *" $1 "* ]]; }

# Tests have a stack of their own, small and on free ports, and none of the caller's settings.
export STACK_DIR=$REPO_ROOT/.local/test STACK_PORTS=free STACK_MEMORY_MB=2048
unset "${!POSTGRES_@}" "${!RABBITMQ_@}" "${!STAGE_@}" "${!WORKER_@}" "${!LOG_@}" "${!BACKUP_@}" "${!PG@}"
export LOG_LEVEL=warn NO_COLOR=1

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

run_vitest() { # run_vitest PROJECT
  local report started=$SECONDS counts
  report=$(mktemp)
  node_modules/.bin/vitest run --project "$1" --reporter=default --reporter=json --outputFile.json="$report" ||
    failed_run=1
  counts=$(node -e '
    const report = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8") || "{}");
    const broken = (report.testResults ?? []).filter((file) => file.status === "failed" && !file.assertionResults.length);
    console.log(report.numPassedTests ?? 0, (report.numFailedTests ?? 0) + broken.length);' "$report") || counts='0 1'
  rm -f -- "$report"
  passed=$((passed + ${counts% *}))
  failed=$((failed + ${counts#* }))
  # A run that ends badly without a failed test (an unhandled error, no test found) is a failure all the same.
  [[ -z ${failed_run:-} || ${counts#* } -gt 0 ]] || failed=$((failed + 1))
  failed_run=''
  printf '%s tests: %d s\n' "$1" $((SECONDS - started))
}

drop_stack() {
  [[ -n ${TEST_KEEP_STACK:-} ]] || "$REPO_ROOT/scripts/stack.sh" reset --yes
}

cd -- "$REPO_ROOT"
require_node
npm_install
build

if wanted static; then
  command -v shellcheck >/dev/null || apt_install shellcheck
  check 'format and lint' node_modules/.bin/biome ci --error-on-warnings .
  check 'types' node_modules/.bin/tsc --noEmit
  check 'dead code' node_modules/.bin/knip
  mapfile -t shell_files < <(git ls-files -co --exclude-standard -- '*.sh' .ci/run)
  check 'shell scripts' shellcheck "${shell_files[@]}"
fi
if wanted unit; then run_vitest unit; fi
if wanted int || wanted fault; then
  trap drop_stack EXIT
  scripts/stack.sh up
  eval "$(scripts/stack.sh env)"
  # Each test file makes a vhost of its own, for which the broker wants an administrator.
  scripts/stack.sh rabbitmqctl -q set_user_tags "$RABBITMQ_USER" administrator
  for part in int fault; do
    if wanted "$part"; then run_vitest "$part"; fi
  done
fi

drop_stack
trap - EXIT
printf '%d passed, %d failed\n' "$passed" "$failed"
((failed == 0))
