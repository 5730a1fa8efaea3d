-- What db/migrations add up to. Made by scripts/schema_dump.sh, compared by a test: change a migration, not this.

