-- Judges the suspects of a chunk, which COPY has set apart (about 1 %, see etl.create_builds): repairs what is repairable and
-- puts it into the leaf, keeps the rest in txn_reject with a reason, counts both.
--
-- Of rows with the same id at most one stands on the line that the id belongs to. So only suspects need looking at to find
-- the duplicates: the row in its place is kept, be it a suspect or not, else the first.
--
-- $1 run_id  $2 chunk_no  $3 now  $4 from, $5 to: the chunk's month within the run's window
-- $6 what a row may hold, as etl.create_builds takes it  $7 id of the first line  $8 lines
-- :"suspects" :"leaf" of what the chunk's month is built in
-- Result: one row: suspects = passed (of which repaired) + rejected (by reason). By class in etl.chunk_class.

WITH suspect AS (
  DELETE FROM :"suspects" s
  WHERE coalesce(s.line_id, s.txn_id) >= $7::bigint AND coalesce(s.line_id, s.txn_id) < $7::bigint + $8::integer
  RETURNING
    s.txn_id, s.occurred_at, s.account_id, s.merchant_id, s.terminal_id, s.amount, s.amount_raw, s.currency, s.kind, s.channel,
    s.network, s.status, s.response_code, s.original_txn_id, s.is_fraud, s.line_id,
    coalesce(s.line_id, s.txn_id) AS line,
    coalesce(s.amount, CASE WHEN s.amount_raw ~ '^\s*[0-9]{1,9}[.,][0-9]{2}\s*$'
                            THEN replace(btrim(s.amount_raw), ',', '.')::numeric(14, 2) END) AS value
),
-- Without a join: of a table that fills and empties the planner knows nothing, and would loop.
claimed AS (
  SELECT
    s.*,
    -- The id's own line is of this chunk and no suspect, so a plainly right row stands there.
    txn_id BETWEEN $7 AND $7 + $8 - 1 AND txn_id NOT IN (SELECT line FROM suspect) AS taken,
    first_value(line) OVER (PARTITION BY txn_id ORDER BY line <> txn_id, line) AS keeper
  FROM suspect s
),
flagged AS MATERIALIZED (
  SELECT
    s.*,
    CASE
      WHEN s.txn_id IS NULL OR s.is_fraud IS NULL THEN 'incomplete'
      WHEN s.taken OR s.line <> s.keeper THEN 'duplicate'
      WHEN (s.occurred_at >= $4 AND s.occurred_at < $5) IS NOT TRUE THEN 'bad_time'
      -- As scalar subqueries: an index lookup for each of the few, where a join would hash every account.
      WHEN (SELECT a.account_id FROM payments.account a WHERE a.account_id = s.account_id) IS NULL THEN 'orphan_account'
      WHEN (SELECT m.merchant_id FROM payments.merchant m WHERE m.merchant_id = s.merchant_id) IS NULL
        THEN 'orphan_merchant'
      WHEN (SELECT t.terminal_id FROM payments.terminal t WHERE t.terminal_id = s.terminal_id) IS NULL
        THEN 'orphan_terminal'
      WHEN (SELECT t.merchant_id FROM payments.terminal t WHERE t.terminal_id = s.terminal_id) <> s.merchant_id
        THEN 'foreign_terminal'
      WHEN (s.value > 0 AND s.value <= rule.max_amount) IS NOT TRUE THEN 'bad_amount'
      WHEN (upper(btrim(s.currency)) = ANY (rule.currencies)) IS NOT TRUE THEN 'bad_currency'
      WHEN (lower(btrim(s.kind)) = ANY (rule.kinds) AND lower(btrim(s.channel)) = ANY (rule.channels)
            AND lower(btrim(s.network)) = ANY (rule.networks) AND lower(btrim(s.status)) = ANY (rule.statuses)
            AND btrim(s.response_code) = ANY (rule.response_codes)) IS NOT TRUE THEN 'bad_code'
    END AS reason,
    CASE
      WHEN s.amount IS NULL THEN 'decimal_comma'
      WHEN (s.currency, s.kind, s.channel, s.network, s.status, s.response_code)
           <> (btrim(s.currency), btrim(s.kind), btrim(s.channel), btrim(s.network), btrim(s.status), btrim(s.response_code))
        THEN 'padding'
      WHEN (s.currency, s.kind, s.channel, s.network, s.status)
           <> (upper(s.currency), lower(s.kind), lower(s.channel), lower(s.network), lower(s.status)) THEN 'text_case'
    END AS repair
  FROM claimed s
  CROSS JOIN jsonb_to_record($6::jsonb) AS rule (max_amount numeric, currencies text[], kinds text[], channels text[],
                                                 networks text[], statuses text[], response_codes text[])
),
rejected AS (
  INSERT INTO payments.txn_reject (run_id, chunk_no, reason, rejected_at, line_no, txn_id, occurred_at, account_id,
                                   merchant_id, terminal_id, amount, amount_raw, currency, kind, channel, network, status,
                                   response_code, original_txn_id, is_fraud)
  SELECT $1, $2, reason, $3, line - $7, txn_id, occurred_at, account_id, merchant_id, terminal_id, amount, amount_raw,
         currency, kind, channel, network, status, response_code, original_txn_id, is_fraud
  FROM flagged
  WHERE reason IS NOT NULL
),
counted AS (
  INSERT INTO etl.chunk_class AS c (run_id, chunk_no, class, outcome, found)
  SELECT $1, $2, class, outcome, count(*)
  FROM (
    SELECT coalesce(reason, repair) AS class, CASE WHEN reason IS NULL THEN 'repaired' ELSE 'rejected' END AS outcome
    FROM flagged
  ) findings
  WHERE class IS NOT NULL
  GROUP BY class, outcome
  ON CONFLICT (run_id, chunk_no, class) DO UPDATE SET found = EXCLUDED.found
),
repaired AS (
  INSERT INTO :"leaf" (txn_id, occurred_at, account_id, merchant_id, terminal_id, amount, currency, kind, channel, network,
                       status, response_code, original_txn_id, is_fraud)
  SELECT txn_id, occurred_at, account_id, merchant_id, terminal_id, value, upper(btrim(currency)), lower(btrim(kind)),
         lower(btrim(channel)), lower(btrim(network)), lower(btrim(status)), btrim(response_code), original_txn_id, is_fraud
  FROM flagged
  WHERE reason IS NULL
)
SELECT
  count(*) AS suspects,
  count(*) FILTER (WHERE reason IS NULL) AS passed,
  count(*) FILTER (WHERE reason IS NULL AND repair IS NOT NULL) AS repaired,
  count(*) FILTER (WHERE reason IS NOT NULL) AS rejected,
  (SELECT coalesce(jsonb_object_agg(reason, found), '{}')
   FROM (SELECT reason, count(*) AS found FROM flagged WHERE reason IS NOT NULL GROUP BY reason) r) AS reasons
FROM flagged
