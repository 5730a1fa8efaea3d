-- The history of migrations, by module. While the pipeline was the only one it was the table ops.migration: its rows move, and a
-- view takes its name for code of that time, which wants just versions 1 to 5 and refuses any other. The view adds what that
-- code cannot live with. Nothing can be written through it, for it has no module.
--
-- Several statements in one query, and so one transaction.

CREATE SCHEMA IF NOT EXISTS ops;

CREATE TABLE IF NOT EXISTS ops.module_migration (
  module     text        NOT NULL,
  version    integer     NOT NULL,
  name       text        NOT NULL,
  sha256     text        NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now(),
  took_ms    integer     NOT NULL,
  breaking   boolean     NOT NULL,
  PRIMARY KEY (module, version)
);
COMMENT ON TABLE ops.module_migration IS 'Migrations that were applied, a sequence per module';
COMMENT ON COLUMN ops.module_migration.breaking IS 'Code that does not know it refuses to work here';

DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_class WHERE oid = to_regclass('ops.migration') AND relkind = 'r') THEN
    LOCK TABLE ops.migration IN ACCESS EXCLUSIVE MODE;
    INSERT INTO ops.module_migration (module, version, name, sha256, applied_at, took_ms, breaking)
    SELECT 'etl', version, name, sha256, applied_at, took_ms, false FROM ops.migration
    ON CONFLICT DO NOTHING;
    DROP TABLE ops.migration;
  END IF;
END
$$;

CREATE OR REPLACE VIEW ops.migration AS
SELECT version, name, sha256, applied_at, took_ms
FROM ops.module_migration
WHERE module = 'etl' AND (version <= 5 OR breaking);
COMMENT ON VIEW ops.migration IS 'For code that knows no modules: the first five of etl, and what it cannot live with';

GRANT USAGE ON SCHEMA ops TO payments_loader, payments_exporter;
GRANT SELECT ON ops.module_migration, ops.migration TO payments_loader, payments_exporter;
