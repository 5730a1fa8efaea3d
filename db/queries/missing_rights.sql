-- Rights that the platform's roles need and do not have, each as `role: right`. What is not there at all lacks no right: the
-- schema is looked at elsewhere. Any role may ask.
-- $1 loader, $2 admin, $3 backup: names of the roles; all but the loader may be absent

WITH leaf AS (
  SELECT inhrelid AS oid FROM pg_inherits WHERE inhparent = to_regclass('payments.txn')
), needed_schema (role, name) AS (
  VALUES ($1, 'payments'), ($1, 'etl'), ($1, 'staging'), ($1, 'ops'), ($1, 'wallet'), ($1, 'saga'), ($1, 'payouts'), ($1, 'campaigns'), ($1, 'collector'), ($1, 'traffic'), ($1, 'reports'), ($1, 'monitor'), ($1, 'reporter'), ($1, 'ingest'), ($3, 'ops'), ($3, 'etl')
), needed_table (role, oid, privileges) AS (
  SELECT $1, to_regclass(name)::oid, privileges
  FROM (VALUES
    ('payments.account', 'SELECT INSERT'), ('payments.merchant', 'SELECT INSERT'), ('payments.terminal', 'SELECT INSERT'),
    ('payments.txn', 'SELECT INSERT'), ('payments.txn_reject', 'SELECT INSERT DELETE'),
    ('payments.agg_merchant_day', 'SELECT INSERT UPDATE DELETE'), ('payments.agg_network_hour', 'SELECT INSERT UPDATE DELETE'),
    ('staging.txn_shape', 'SELECT'), ('etl.standing_failure', 'SELECT'), ('etl.run_progress', 'SELECT'), ('ops.module_migration', 'SELECT'),
    ('wallet.audit_difference', 'SELECT'), ('wallet.audit_payment', 'SELECT'),
    ('saga.audit_difference', 'SELECT'), ('saga.audit_payment', 'SELECT'), ('saga.audit_orphan', 'SELECT'),
    ('payouts.audit_difference', 'SELECT'), ('payouts.audit_pago', 'SELECT'),
    ('campaigns.audit_difference', 'SELECT'), ('campaigns.audit_spend', 'SELECT'), ('campaigns.audit_campaign', 'SELECT'),
    ('collector.audit_difference', 'SELECT'), ('collector.audit_event', 'SELECT'), ('collector.audit_payout', 'SELECT'),
    ('traffic.audit_payment', 'SELECT'), ('reports.audit_difference', 'SELECT'), ('reports.audit_payout', 'SELECT'),
    ('reports.audit_campaign', 'SELECT'), ('reports.audit_head', 'SELECT'), ('traffic.audit_partner_event', 'SELECT'), ('traffic.audit_lake_row', 'SELECT'),
    ('monitor.audit_difference', 'SELECT'), ('monitor.audit_window', 'SELECT'), ('monitor.audit_report', 'SELECT'), ('monitor.audit_held', 'SELECT'),
    ('reporter.audit_difference', 'SELECT'), ('reporter.audit_window', 'SELECT'), ('reporter.audit_tick', 'SELECT'),
    ('ingest.audit_difference', 'SELECT'), ('ingest.audit_event', 'SELECT'),
    ('ops.migration', 'SELECT'), -- by the release before modules, while both run
    ('ops.audit_result', 'SELECT INSERT UPDATE'), ('ops.dead_letter_action', 'SELECT INSERT UPDATE'), ('ops.dead_letter_action_letter', 'SELECT INSERT'),
    ('ops.dead_letter', 'SELECT INSERT')
  ) named (name, privileges)
  UNION ALL
  SELECT $1, oid, 'SELECT INSERT' FROM leaf
  UNION ALL
  SELECT $1, oid, 'SELECT INSERT UPDATE DELETE' FROM pg_class
  WHERE relnamespace = to_regnamespace('etl') AND relkind IN ('r', 'p')
  UNION ALL
  SELECT $3, to_regclass('ops.backup')::oid, 'INSERT'
  UNION ALL
  SELECT $3, to_regclass('ops.restore_drill')::oid, 'INSERT'
), needed_function (role, name) AS (
  VALUES ($1, 'leaf_name'), ($1, 'build_name'), ($1, 'create_builds'), ($1, 'drop_build'), ($1, 'publish_build'),
    ($1, 'create_healed_leaf'), ($1, 'index_healed_leaf'), ($1, 'swap_healed_leaf'),
    ($3, 'leaf_name'), ($3, 'hold_publishing')
)
SELECT format('%s: USAGE on schema %s', role, name) AS missing
FROM needed_schema
WHERE to_regnamespace(name) IS NOT NULL AND to_regrole(role) IS NOT NULL
  AND NOT has_schema_privilege(role, to_regnamespace(name)::oid, 'USAGE')
UNION ALL
-- A right on some columns counts: the roles have no more on the history of dead letters and drills.
SELECT format('%s: %s on %s', role, privilege, oid::regclass)
FROM needed_table CROSS JOIN regexp_split_to_table(privileges, ' ') privilege
WHERE oid IS NOT NULL AND to_regrole(role) IS NOT NULL
  AND NOT CASE privilege WHEN 'DELETE' THEN has_table_privilege(role, oid, privilege)
                         ELSE has_any_column_privilege(role, oid, privilege) END
UNION ALL
SELECT format('%s: EXECUTE on %s', role, p.oid::regprocedure)
FROM needed_function
JOIN pg_proc p ON p.proname = name AND p.pronamespace = to_regnamespace('etl')
WHERE to_regrole(role) IS NOT NULL AND NOT has_function_privilege(role, p.oid, 'EXECUTE')
UNION ALL
SELECT format('%s: TEMPORARY on the database', $1)
WHERE NOT has_database_privilege($1, current_database(), 'TEMPORARY')
UNION ALL
SELECT format('%s: CONNECT on the database', role)
FROM unnest(ARRAY[$2, $3]) role
WHERE to_regrole(role) IS NOT NULL AND NOT has_database_privilege(role, current_database(), 'CONNECT')
UNION ALL
SELECT format('%s: member of %s', role, granted)
FROM (VALUES ($2, 'payments_owner'), ($3, 'pg_read_all_data')) needed (role, granted)
WHERE to_regrole(role) IS NOT NULL AND (to_regrole(granted) IS NULL OR NOT pg_has_role(role, granted, 'MEMBER'))
UNION ALL
-- What publishes, appends and heals runs with the owner's rights.
SELECT format('payments_owner: owner of %s', c.oid::regclass)
FROM pg_class c
WHERE (c.oid = to_regclass('payments.txn') OR c.oid IN (SELECT oid FROM leaf))
  AND c.relowner IS DISTINCT FROM to_regrole('payments_owner')
ORDER BY missing
