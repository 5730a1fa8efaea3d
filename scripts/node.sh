# shellcheck shell=bash
# Node, the project's packages and its build, for the scripts that need them. Sourced after lib.sh.

LEAST_NODE=20.19

# require_node: there is no package of it to install: Debian 12's is too old.
require_node() {
  command -v node >/dev/null || die "Node.js is missing; install version $LEAST_NODE or newer: https://nodejs.org"
  local version
  version=$(node --version)
  [[ $(printf '%s\n' "v$LEAST_NODE" "$version" | sort -V | head -n 1) == "v$LEAST_NODE" ]] ||
    die "Node.js $version is too old; install version $LEAST_NODE or newer: https://nodejs.org"
  command -v npm >/dev/null || die 'npm is missing; it comes with Node.js: https://nodejs.org'
}

# npm_install: packages as the lock file has them, unless they are there.
npm_install() {
  local stamp=$REPO_ROOT/node_modules/.installed lock
  lock=$(sha256sum <"$REPO_ROOT/package-lock.json")
  [[ -r $stamp && $(<"$stamp") == "$lock" ]] && return
  note 'installing npm packages'
  (cd -- "$REPO_ROOT" && npm ci --no-audit --no-fund --loglevel=error >&2) ||
    die 'npm ci failed; the reason is above. Is the npm registry within reach?'
  printf '%s\n' "$lock" >"$stamp"
}

# build: compile what has changed; a second or two.
build() {
  (cd -- "$REPO_ROOT" && npm run --silent build >&2) || die 'the build failed; the errors are above'
}

# payments ARGUMENT...: the command line of this checkout.
payments() { node "$REPO_ROOT/dist/etl/cli/main.js" "$@"; }

# backups COMMAND ARGUMENT...: the backup jobs of this checkout, on the local stack unless the environment names a server.
backups() {
  require_node
  [[ -e $REPO_ROOT/dist/jobs/main.js ]] || die 'nothing is built yet; run: scripts/bootstrap.sh'
  if [[ -z ${POSTGRES_PASSWORD:-}${POSTGRES_PASSWORD_FILE:-} && -z $(setting POSTGRES_PASSWORD '') ]]; then
    local settings
    settings=$("$REPO_ROOT/scripts/stack.sh" env) || exit 1
    eval "$settings"
  fi
  cd -- "$REPO_ROOT" || exit 1
  exec node "$REPO_ROOT/dist/jobs/main.js" "$@"
}
