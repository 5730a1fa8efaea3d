#!/usr/bin/env -S bash -p
# Times backup and restore drill against plain pg_dump and pg_restore: scripts/bench.sh backup, whose --help says how.
exec "$(dirname -- "$0")/bench.sh" backup "$@"
