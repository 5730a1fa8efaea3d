#!/bin/sh
# PostgreSQL's archive_command: wal_archive.sh "%p" "%f" FOLDER. Puts one segment of the write-ahead log into the archive, whole,
# on disk and under its name only then. Anything but success and PostgreSQL keeps the segment and asks again. Needs nothing but
# gzip and coreutils; a restore needs `gzip -dc FOLDER/%f.gz >%p`.
set -eu

case ${1:-} in
  -h | --help | '') echo "Usage: wal_archive.sh PATH NAME FOLDER" && exit 0 ;;
esac
from=$1 to=$3/$2.gz
umask 077

if [ -e "$to" ]; then
  # Archived before a crash kept us from saying so. Another segment of that name is another server's: never overwritten.
  gzip -dc "$to" | cmp -s - "$from" && exit 0
  echo "wal_archive.sh: $to is there and differs from $from; two servers archive into one folder" >&2
  exit 1
fi
# A segment that archive_timeout ended early is mostly zeros: 16 MB become some kB.
gzip -1 <"$from" >"$to.partial"
sync "$to.partial"
mv "$to.partial" "$to"
sync "$3"
