-- Takes the rows that are not plainly right out of a staged chunk (about 1 %): repairs what is repairable and puts it into the
-- leaf, keeps the rest in txn_reject with a reason, counts both. What stays in the staging table is right as it is.
--
-- References are checked here because txn has no foreign keys. One pass, a tenth of a second per 200,000 rows; it took six when
-- it joined the dimensions and grouped by txn_id:
--   * Rows come numbered, each with the id of its number. Of two rows with the same id one at least is out of its place, so
--     only those are looked at to find the duplicates; the row in its place is kept, else the first.
--   * Ids of accounts and terminals have no gaps as a rule. Then a comparison says whether an account exists, and an array
--     whose terminal it is; with gaps both are looked up.
--
-- $1 run_id  $2 chunk_no  $3 now  $4 from, $5 to: the chunk's month within the run's window  $6 most an amount may be
-- $7 currencies  $8 kinds  $9 channels  $10 networks  $11 statuses  $12 response codes  $13 txn_id of line 0  $14 lines
-- :"staging" the chunk's staging table  :"leaf" the month's leaf
-- Result: one row: suspects = passed (of which repaired) + rejected (by reason). By class in etl.chunk_class.

WITH accounts AS MATERIALIZED (
  SELECT min(account_id) AS first, max(account_id) AS last
  FROM payments.account
  HAVING count(*) = max(account_id) - min(account_id) + 1
),
terminals AS MATERIALIZED (
  SELECT min(terminal_id) AS first, array_agg(merchant_id ORDER BY terminal_id) AS merchants
  FROM payments.terminal
  HAVING count(*) = max(terminal_id) - min(terminal_id) + 1
),
suspect AS (
  DELETE FROM :"staging" s
  WHERE (
    s.txn_id = s.line_no + $13::bigint
    AND CASE WHEN EXISTS (SELECT FROM accounts)
             THEN s.account_id BETWEEN (SELECT first FROM accounts) AND (SELECT last FROM accounts)
             ELSE s.account_id IN (SELECT account_id FROM payments.account) END
    AND CASE WHEN EXISTS (SELECT FROM terminals)
             THEN s.terminal_id >= (SELECT first FROM terminals)
              AND s.merchant_id = (SELECT merchants FROM terminals)[s.terminal_id - (SELECT first FROM terminals) + 1]
             ELSE (s.terminal_id, s.merchant_id) IN (SELECT terminal_id, merchant_id FROM payments.terminal) END
    AND s.occurred_at >= $4 AND s.occurred_at < $5
    AND s.amount > 0 AND s.amount <= $6
    AND s.currency = ANY ($7)
    AND s.kind = ANY ($8)
    AND s.channel = ANY ($9)
    AND s.network = ANY ($10)
    AND s.status = ANY ($11)
    AND s.response_code = ANY ($12)
    AND s.is_fraud IS NOT NULL
  ) IS NOT TRUE
  RETURNING
    s.*,
    coalesce(s.amount, CASE WHEN s.amount_raw ~ '^\s*[0-9]{1,9}[.,][0-9]{2}\s*$'
                            THEN replace(btrim(s.amount_raw), ',', '.')::numeric(14, 2) END) AS value
),
-- The lines with each doubtful id: those out of their place, and the one in its place.
holder AS (
  SELECT txn_id, line_no FROM suspect
  UNION
  SELECT d.txn_id, (d.txn_id - $13)::integer
  FROM (SELECT DISTINCT txn_id FROM suspect WHERE txn_id BETWEEN $13 AND $13 + $14 - 1) d
  WHERE NOT EXISTS (SELECT FROM suspect s WHERE s.line_no + $13 = d.txn_id)
),
keeper AS (
  SELECT txn_id, coalesce(min(line_no) FILTER (WHERE line_no + $13 = txn_id), min(line_no)) AS line_no
  FROM holder
  GROUP BY txn_id
),
flagged AS MATERIALIZED (
  SELECT
    s.*,
    CASE
      WHEN s.txn_id IS NULL OR s.is_fraud IS NULL THEN 'incomplete'
      WHEN s.line_no <> k.line_no THEN 'duplicate'
      WHEN (s.occurred_at >= $4 AND s.occurred_at < $5) IS NOT TRUE THEN 'bad_time'
      -- As scalar subqueries: an index lookup for each of the few, where a join would hash every account.
      WHEN (SELECT a.account_id FROM payments.account a WHERE a.account_id = s.account_id) IS NULL THEN 'orphan_account'
      WHEN (SELECT m.merchant_id FROM payments.merchant m WHERE m.merchant_id = s.merchant_id) IS NULL
        THEN 'orphan_merchant'
      WHEN (SELECT t.terminal_id FROM payments.terminal t WHERE t.terminal_id = s.terminal_id) IS NULL
        THEN 'orphan_terminal'
      WHEN (SELECT t.merchant_id FROM payments.terminal t WHERE t.terminal_id = s.terminal_id) <> s.merchant_id
        THEN 'foreign_terminal'
      WHEN (s.value > 0 AND s.value <= $6) IS NOT TRUE THEN 'bad_amount'
      WHEN (upper(btrim(s.currency)) = ANY ($7)) IS NOT TRUE THEN 'bad_currency'
      WHEN (lower(btrim(s.kind)) = ANY ($8) AND lower(btrim(s.channel)) = ANY ($9) AND lower(btrim(s.network)) = ANY ($10)
            AND lower(btrim(s.status)) = ANY ($11) AND btrim(s.response_code) = ANY ($12)) IS NOT TRUE THEN 'bad_code'
    END AS reason,
    CASE
      WHEN s.amount IS NULL THEN 'decimal_comma'
      WHEN (s.currency, s.kind, s.channel, s.network, s.status, s.response_code)
           <> (btrim(s.currency), btrim(s.kind), btrim(s.channel), btrim(s.network), btrim(s.status), btrim(s.response_code))
        THEN 'padding'
      WHEN (s.currency, s.kind, s.channel, s.network, s.status)
           <> (upper(s.currency), lower(s.kind), lower(s.channel), lower(s.network), lower(s.status)) THEN 'text_case'
    END AS repair
  FROM suspect s
  LEFT JOIN keeper k ON k.txn_id = s.txn_id
),
rejected AS (
  INSERT INTO payments.txn_reject (run_id, chunk_no, reason, rejected_at, line_no, txn_id, occurred_at, account_id,
                                   merchant_id, terminal_id, amount, amount_raw, currency, kind, channel, network, status,
                                   response_code, original_txn_id, is_fraud)
  SELECT $1, $2, reason, $3, line_no, txn_id, occurred_at, account_id, merchant_id, terminal_id, amount, amount_raw,
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
