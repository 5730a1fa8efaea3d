# shellcheck shell=bash
# Node, the project's packages and its build, for the scripts that need them, and all of lib.sh.

source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
LEAST_NODE=$(sed -n 's/^ *"node": ">=\(.*\)".*/\1/p' "$REPO_ROOT/package.json")

# require_node: there is no package of it to install: Debian 12's is too old.
require_node() {
  command -v node >/dev/null || die "Node.js is missing; install version $LEAST_NODE or newer: https://nodejs.org"
  local version
  version=$(node --version)
  [[ $(printf '%s\n' "v$LEAST_NODE" "$version" | sort -V | head -n 1) == "v$LEAST_NODE" ]] ||
    die "Node.js $version is too old; install version $LEAST_NODE or newer: https://nodejs.org"
  command -v npm >/dev/null || die 'npm is missing; it comes with Node.js: https://nodejs.org'
}

# What npm does depends on settings of the user's (NODE_ENV, npm_config_*, .npmrc): they may leave packages out, link nothing,
# install elsewhere or only pretend to. These flags win over all of them. No package of ours needs its install script.
NPM_HERE=(--no-global --location=project --no-workspaces --script-shell=/bin/sh)
NPM_ALL=(--include=dev --include=optional --include=peer --package-lock --no-package-lock-only --no-dry-run --bin-links
  --install-strategy=hoisted --no-legacy-peer-deps --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error)

# packages_state: what is installed, for which lock file, Node and machine: every file with its size, which takes 0.1 s.
# Folders with a dot, other than .bin, are caches of tools.
packages_state() {
  {
    sha256sum <"$REPO_ROOT/package-lock.json"
    node -p '[process.platform, process.arch, process.versions.modules].join()'
    compgen -G '/lib/ld-musl-*' || true
    cd -- "$REPO_ROOT/node_modules" &&
      find . -mindepth 1 -path './.*' ! -path './.bin*' -prune -o -type d -o -printf '%P %s\n' | LC_ALL=C sort
  } 2>/dev/null | sha256sum
}

# npm_install: packages as the lock file has them, unless they are there, to the last file.
npm_install() {
  local stamp=$REPO_ROOT/node_modules/.installed missing
  [[ -r $stamp && $(<"$stamp") == "$(packages_state)" ]] && return
  make_own_dir "$REPO_ROOT"
  note 'installing npm packages'
  rm -f -- "$stamp" # if it is interrupted, nothing may say that it was not
  (cd -- "$REPO_ROOT" && npm ci "${NPM_HERE[@]}" "${NPM_ALL[@]}" >&2) ||
    die 'npm ci failed; the reason is above. Is the npm registry within reach?'
  missing=$(node "$REPO_ROOT/scripts/packages.mjs" "$REPO_ROOT")
  [[ -z $missing ]] ||
    die "npm ci left out ${missing//$'\n'/, }; look for the setting that makes it do so in: npm config list"
  packages_state >"$stamp.new" && mv -f -- "$stamp.new" "$stamp"
}

# build: compile what has changed; a second or two.
build() {
  make_own_dir "$REPO_ROOT"
  (cd -- "$REPO_ROOT" && npm run --silent "${NPM_HERE[@]}" build >&2) || die 'the build failed; the errors are above'
}

# payments ARGUMENT...: the command line of this checkout.
payments() { node "$REPO_ROOT/dist/app/main.js" "$@"; }

# run_built PROGRAM ARGUMENT...: one of this checkout's build, on the local stack unless the environment names a server.
run_built() {
  require_node
  [[ -e $REPO_ROOT/dist/$1 ]] || die 'nothing is built yet; run: scripts/bootstrap.sh'
  [[ " $* " == *' --help '* || " $* " == *' -h '* ]] || read_env_file # a bad one ends us here, but not in $(setting …)
  if [[ -n $ENV_FILE_READ && -z ${POSTGRES_PASSWORD:-}${POSTGRES_PASSWORD_FILE:-} && -z $(setting POSTGRES_PASSWORD '') ]]; then
    local settings
    settings=$("$REPO_ROOT/scripts/stack.sh" env) || exit 1
    eval "$settings"
  fi
  exec node "$REPO_ROOT/dist/$1" "${@:2}"
}
