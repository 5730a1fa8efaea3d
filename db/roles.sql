-- Roles and the database: the only script that needs a superuser or, on a managed server, its owner: CREATEROLE, CREATEDB and, from 16 on,
-- ADMIN of the pg_* roles granted below. psql runs it on PostgreSQL 15+, connected to the maintenance database `postgres`; at any time, while the platform runs too: after an upgrade that needs another role, to set passwords
-- anew, and to put right what was changed by hand.
--
-- psql variables: dbname admin_password loader_password reader_password exporter_password
-- backup_password app_password lake_password.
-- Give them by \set on standard input or from a file of mode 0600, never by --variable: arguments show in process lists.
-- Schemas, tables and the rights on them come from db/migrations, run by payments_admin; those of the data lake from db/datalake.sql.
\set ON_ERROR_STOP on
-- An error must not quote its statement, which may hold a password.
\set VERBOSITY terse

SELECT rolsuper::text AS super FROM pg_roles WHERE rolname = current_user \gset
\if :super
-- Statements with passwords must not reach the log, the statistics or another session's pg_stat_activity.
SET log_statement = 'none';
SET log_min_error_statement = 'panic';
SET log_min_duration_statement = -1;
SET log_min_duration_sample = -1;
SET log_transaction_sample_rate = 0;
SET pg_stat_statements.track = 'none';
SET track_activities = off;
\set plain 'NOSUPERUSER NOREPLICATION NOBYPASSRLS'
\set streams 'NOSUPERUSER REPLICATION NOBYPASSRLS'
\else
-- The owner of a managed server may not even say NOSUPERUSER: roles that it made are none.
\set plain ''
\set streams ''
\endif
SET password_encryption = 'scram-sha-256';
SET client_min_messages = warning;
SET default_transaction_read_only = off;

-- One script at a time: two of them would trip over each other's CREATE ROLE.
SELECT pg_advisory_lock(hashtext('payments-platform roles')) \g /dev/null

SELECT format('CREATE ROLE %I', r)
FROM unnest(ARRAY['payments_owner', 'payments_admin', 'payments_loader', 'payments_reader',
                  'payments_exporter', 'payments_backup', 'payments_app', 'payments_lake', 'payments_wallet', 'payments_saga',
                  'payments_collector', 'payments_payouts', 'payments_campaigns', 'payments_traffic', 'payments_reports',
                  'payments_monitor', 'payments_reporter', 'payments_ingest', 'payments_console']) r
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = r) \gexec

-- To give it a database, its owner has to be a member; a superuser is one of any.
\if :super
\else
GRANT payments_owner TO CURRENT_USER;
\endif

-- Every attribute is spelt out, so that a role changed by hand is put right. payments_backup may stream the cluster's files,
-- which is what a base backup is; it reads all data anyway.
ALTER ROLE payments_owner    NOLOGIN :plain NOCREATEDB NOCREATEROLE INHERIT PASSWORD NULL;
ALTER ROLE payments_admin    LOGIN :plain CREATEDB   NOCREATEROLE INHERIT PASSWORD :'admin_password' VALID UNTIL 'infinity';
ALTER ROLE payments_loader   LOGIN :plain NOCREATEDB NOCREATEROLE INHERIT PASSWORD :'loader_password' VALID UNTIL 'infinity';
ALTER ROLE payments_reader   LOGIN :plain NOCREATEDB NOCREATEROLE INHERIT PASSWORD :'reader_password' VALID UNTIL 'infinity';
ALTER ROLE payments_exporter LOGIN :plain NOCREATEDB NOCREATEROLE INHERIT PASSWORD :'exporter_password' VALID UNTIL 'infinity';
ALTER ROLE payments_backup   LOGIN :streams NOCREATEDB NOCREATEROLE INHERIT PASSWORD :'backup_password' VALID UNTIL 'infinity';
ALTER ROLE payments_app      LOGIN :plain NOCREATEDB NOCREATEROLE NOINHERIT PASSWORD :'app_password' VALID UNTIL 'infinity';
ALTER ROLE payments_lake     LOGIN :plain NOCREATEDB NOCREATEROLE NOINHERIT PASSWORD :'lake_password' VALID UNTIL 'infinity';
ALTER ROLE payments_wallet NOLOGIN :plain NOCREATEDB NOCREATEROLE NOINHERIT PASSWORD NULL;
ALTER ROLE payments_saga NOLOGIN :plain NOCREATEDB NOCREATEROLE NOINHERIT PASSWORD NULL;
ALTER ROLE payments_payouts NOLOGIN :plain NOCREATEDB NOCREATEROLE NOINHERIT PASSWORD NULL;
ALTER ROLE payments_campaigns NOLOGIN :plain NOCREATEDB NOCREATEROLE NOINHERIT PASSWORD NULL;
ALTER ROLE payments_reports NOLOGIN :plain NOCREATEDB NOCREATEROLE NOINHERIT PASSWORD NULL;
ALTER ROLE payments_collector NOLOGIN :plain NOCREATEDB NOCREATEROLE NOINHERIT PASSWORD NULL;
ALTER ROLE payments_ingest NOLOGIN :plain NOCREATEDB NOCREATEROLE NOINHERIT PASSWORD NULL;
ALTER ROLE payments_traffic NOLOGIN :plain NOCREATEDB NOCREATEROLE NOINHERIT PASSWORD NULL;
ALTER ROLE payments_monitor NOLOGIN :plain NOCREATEDB NOCREATEROLE NOINHERIT PASSWORD NULL;
ALTER ROLE payments_reporter NOLOGIN :plain NOCREATEDB NOCREATEROLE NOINHERIT PASSWORD NULL;
ALTER ROLE payments_console NOLOGIN :plain NOCREATEDB NOCREATEROLE NOINHERIT PASSWORD NULL;

-- A guard against slips, not a right: whoever reads reports should not write by accident.
ALTER ROLE payments_reader SET default_transaction_read_only = on;

-- The admin acts as the owner, a service as its own role and nothing besides. From 16 on a membership says for itself whether it
-- inherits and may SET ROLE.
SELECT current_setting('server_version_num')::int >= 160000 AS pg16 \gset
\if :pg16
GRANT payments_owner TO payments_admin WITH INHERIT TRUE, SET TRUE;
GRANT payments_wallet, payments_saga, payments_collector, payments_payouts, payments_campaigns, payments_traffic, payments_reports, payments_monitor, payments_reporter, payments_ingest, payments_console TO payments_app WITH INHERIT FALSE, SET TRUE;
\else
GRANT payments_owner TO payments_admin;
GRANT payments_wallet, payments_saga, payments_collector, payments_payouts, payments_campaigns, payments_traffic, payments_reports, payments_monitor, payments_reporter, payments_ingest, payments_console TO payments_app;
\endif
GRANT pg_monitor, pg_signal_backend, pg_checkpoint TO payments_admin; -- a DBA sees and stops sessions, ends a bench with a checkpoint
GRANT pg_monitor TO payments_exporter;
GRANT pg_read_all_data TO payments_backup;

-- C collation: text codes compare byte by byte, which is fastest and never needs a REINDEX after a libc upgrade.
SELECT format('CREATE DATABASE %I OWNER payments_owner TEMPLATE template0 ENCODING ''UTF8'' LC_COLLATE ''C'' LC_CTYPE %L',
              :'dbname', (SELECT datctype FROM pg_database WHERE datname = 'template0'))
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'dbname') \gexec
SELECT format('ALTER DATABASE %I OWNER TO payments_owner', datname)
FROM pg_database WHERE datname = :'dbname' AND datdba <> 'payments_owner'::regrole \gexec

REVOKE ALL ON DATABASE :"dbname" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"dbname" TO payments_admin, payments_loader, payments_reader, payments_exporter, payments_backup,
  payments_app, payments_wallet, payments_saga, payments_payouts, payments_campaigns, payments_collector, payments_traffic, payments_reports,
  payments_monitor, payments_reporter, payments_ingest, payments_console;
GRANT TEMPORARY ON DATABASE :"dbname" TO payments_admin, payments_loader;

-- What others collect, and ingest reads; see db/datalake.sql.
SELECT 'CREATE DATABASE datalake OWNER payments_owner TEMPLATE template0 ENCODING ''UTF8'' LC_COLLATE ''C'' LC_CTYPE '
       || quote_literal(datctype)
FROM pg_database
WHERE datname = 'template0' AND NOT EXISTS (SELECT FROM pg_database WHERE datname = 'datalake') \gexec
SELECT 'ALTER DATABASE datalake OWNER TO payments_owner'
FROM pg_database WHERE datname = 'datalake' AND datdba <> 'payments_owner'::regrole \gexec
REVOKE ALL ON DATABASE datalake FROM PUBLIC;
GRANT CONNECT ON DATABASE datalake TO payments_admin, payments_reader, payments_backup, payments_app, payments_lake;

-- Its view spans all databases; kept in the maintenance database, it stays out of dumps that a plain role must restore.
SELECT 'CREATE EXTENSION IF NOT EXISTS pg_stat_statements'
WHERE :super AND EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_stat_statements') \gexec

-- What restore drills make their scratch databases from: with amcheck, which only a superuser may install.
SELECT 'CREATE DATABASE payments_scratch OWNER payments_owner TEMPLATE template0 ENCODING ''UTF8'' LC_COLLATE ''C'' LC_CTYPE '
       || quote_literal(datctype) || ' IS_TEMPLATE true'
FROM pg_database
WHERE datname = 'template0' AND NOT EXISTS (SELECT FROM pg_database WHERE datname = 'payments_scratch') \gexec
ALTER DATABASE payments_scratch OWNER TO payments_owner;
ALTER DATABASE payments_scratch IS_TEMPLATE true ALLOW_CONNECTIONS true;
REVOKE ALL ON DATABASE payments_scratch FROM PUBLIC;

SELECT pg_advisory_unlock(hashtext('payments-platform roles')) \g /dev/null
\connect payments_scratch
SET client_min_messages = warning;
SET default_transaction_read_only = off;
SELECT pg_advisory_lock(hashtext('payments-platform roles')) \g /dev/null
SELECT 'CREATE SCHEMA IF NOT EXISTS amcheck; CREATE EXTENSION IF NOT EXISTS amcheck SCHEMA amcheck;
        GRANT USAGE ON SCHEMA amcheck TO payments_owner; GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA amcheck TO payments_owner'
WHERE :super AND EXISTS (SELECT FROM pg_available_extensions WHERE name = 'amcheck') \gexec
