-- What the console shows of runs, months and roll-ups. Nothing of it reads transactions but a sample of bounded size.

CREATE VIEW etl.console_run AS
SELECT p.run_id, p.state, p.txn_rows, r.seed, r.from_on, r.to_on, r.dirt_rate, r.fraud_rate, r.fraud_difficulty, r.chunk_rows, p.first_txn_id,
       p.created_at, p.finished_at, p.chunks_total, p.chunks_staged, p.chunks_cleaned, p.months_total, p.months_done,
       p.rows_staged, p.rows_cleaned, p.rows_aggregated, p.accepted, p.repaired, p.rejected, p.stage_s, p.clean_s, p.agg_s,
       p.elapsed_s, p.share, p.idle_s, p.eta_s
FROM etl.run_progress p
JOIN etl.run r USING (run_id);
COMMENT ON VIEW etl.console_run IS 'Runs: what was asked for, and how far they have got';

CREATE VIEW etl.console_run_month AS
SELECT run_id, month, txn_rows, chunks_total, chunks_done, state, finished_at FROM etl.run_month;
COMMENT ON VIEW etl.console_run_month IS 'Months of runs';

CREATE VIEW etl.console_failure AS
SELECT run_id, step, chunk_no, month, code, reason, attempts, message_id, failed_at FROM etl.standing_failure;
COMMENT ON VIEW etl.console_failure IS 'What keeps unfinished runs from going on';

-- A dead worker is told from a silent one by whoever ends its connections.
CREATE VIEW etl.console_worker AS
SELECT worker_id, started_at, heartbeat_at, reaped_at IS NOT NULL AS reaped
FROM etl.worker
WHERE heartbeat_at > now() - interval '1 hour';
COMMENT ON VIEW etl.console_worker IS 'Workers that were alive within the hour';

-- How large by the catalogue, as of the leaf's ANALYZE: pg_total_relation_size would wait for whoever swaps a month in.
CREATE VIEW etl.console_month AS
SELECT m.month, m.published_at, coalesce(c.accepted, 0) AS txn_rows, coalesce(c.runs, '{}') AS runs, coalesce(size.bytes, 0) AS bytes
FROM etl.month m
CROSS JOIN LATERAL (SELECT to_regclass(format('payments.%I', etl.leaf_name(m.month))) AS leaf) named
CROSS JOIN LATERAL (
  SELECT (sum(relpages::bigint) * current_setting('block_size')::bigint)::bigint AS bytes
  FROM pg_class
  JOIN (SELECT named.leaf::oid AS oid UNION ALL SELECT indexrelid FROM pg_index WHERE indrelid = named.leaf) part USING (oid)
) size
LEFT JOIN (
  SELECT d.month, sum(per_run.accepted)::bigint AS accepted, array_agg(d.run_id ORDER BY d.run_id) AS runs
  FROM etl.run_month d
  JOIN (SELECT run_id, month, sum(accepted) AS accepted FROM etl.chunk GROUP BY run_id, month) per_run USING (run_id, month)
  WHERE d.state = 'done'
  GROUP BY d.month
) c USING (month);
COMMENT ON VIEW etl.console_month IS 'Published months: how many transactions, of which runs, how large';

CREATE VIEW payments.console_network_hour AS
SELECT month, hour, network, channel, currency, txn_count, approved_count, fraud_count, amount FROM payments.agg_network_hour;
COMMENT ON VIEW payments.console_network_hour IS 'Volume per card network, channel, currency and hour';

CREATE VIEW payments.console_merchant_day AS
SELECT a.month, a.day, m.country, m.category, a.currency, a.txn_count, a.approved_count, a.fraud_count, a.amount
FROM payments.agg_merchant_day a
JOIN payments.merchant m USING (merchant_id);
COMMENT ON VIEW payments.console_merchant_day IS 'Volume per country and category of merchants, currency and day';

-- Why transactions were declined is in no roll-up, and a month may have hundreds of millions. Pages are picked evenly over the month,
-- the same ones each time.
CREATE FUNCTION payments.console_declines(month date, most integer) RETURNS TABLE (response_code text, transactions bigint, share double precision)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog
AS $$
DECLARE
  leaf text;
  of_it double precision;
BEGIN
  SELECT etl.leaf_name(m.month) INTO leaf FROM etl.month m WHERE m.month = console_declines.month;
  IF leaf IS NULL THEN
    RETURN;
  END IF;
  -- A page holds 60 to 80 rows; a table that was never analysed says -1.
  SELECT least(1, console_declines.most / greatest(c.reltuples, pg_relation_size(c.oid) / 8192 * 60, 1)) INTO of_it
  FROM pg_class c WHERE c.oid = to_regclass(format('payments.%I', leaf));
  IF of_it IS NULL THEN
    RETURN;
  END IF;
  -- By its name, which the table that is swapped in takes over.
  RETURN QUERY EXECUTE format(
    'SELECT t.response_code, count(*), %L::double precision FROM payments.%I t TABLESAMPLE SYSTEM (%s) REPEATABLE (1)
     WHERE t.status = ''declined'' GROUP BY t.response_code', of_it, leaf, (100 * of_it)::numeric);
EXCEPTION
  WHEN undefined_table THEN -- it was taken away meanwhile
    RETURN;
END
$$;
COMMENT ON FUNCTION payments.console_declines IS 'Response codes of declined transactions of a month, in a sample of about so many rows';
REVOKE ALL ON FUNCTION payments.console_declines FROM PUBLIC;

GRANT USAGE ON SCHEMA etl, payments TO payments_console;
GRANT SELECT ON etl.console_run, etl.console_run_month, etl.console_failure, etl.console_worker, etl.console_month,
  payments.console_network_hour, payments.console_merchant_day TO payments_console;
GRANT EXECUTE ON FUNCTION etl.leaf_name(date), payments.console_declines TO payments_console;
