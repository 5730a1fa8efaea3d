#!/usr/bin/env -S bash -p
# Starts a run on the local stack: `payments kickoff` with the stack's settings. All its options are taken.
[ -n "${BASH_VERSION:-}" ] || exec bash -p -- "$0" "$@"
set -euo pipefail
source "$(dirname -- "${BASH_SOURCE[0]}")/node.sh"

require_node
[[ -e $REPO_ROOT/dist/app/main.js ]] || die 'nothing is built yet; run: scripts/bootstrap.sh'
# Whoever has settings of their own (another server, a container) keeps them.
if [[ -z ${POSTGRES_PASSWORD:-}${POSTGRES_PASSWORD_FILE:-} ]]; then
  settings=$("$REPO_ROOT/scripts/stack.sh" env)
  eval "$settings"
fi
payments kickoff "$@"
