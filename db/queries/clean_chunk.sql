-- Moves one staged chunk into its leaf: repairs what is repairable, keeps the rest in txn_reject with a reason, counts both.
--
-- One pass joins the dimensions and notes only the rows that are not plainly right (about 1 %, so the note is small); the
-- second pass copies all others as they are. References are checked here because txn has no foreign keys.
--
-- $1 run_id  $2 chunk_no  $3 now  $4 from, $5 to: the chunk's month within the run's window  $6 most an amount may be
-- $7 currencies  $8 kinds  $9 channels  $10 networks  $11 statuses  $12 response codes
-- :"staging" the chunk's staging table  :"leaf" the month's leaf
-- Result: the command's row count is the number of rows accepted; findings go to etl.chunk_class.

WITH duplicated AS (
  SELECT txn_id, min(line_no) AS first_line
  FROM :"staging"
  GROUP BY txn_id
  HAVING count(*) > 1
),
suspect AS (
  SELECT
    s.*,
    d.first_line,
    a.account_id IS NULL AS no_account,
    t.terminal_id IS NULL AS no_terminal,
    t.merchant_id IS DISTINCT FROM s.merchant_id AS not_its_terminal,
    coalesce(s.amount, CASE WHEN s.amount_raw ~ '^\s*[0-9]{1,9}[.,][0-9]{2}\s*$'
                            THEN replace(btrim(s.amount_raw), ',', '.')::numeric(14, 2) END) AS value
  FROM :"staging" s
  LEFT JOIN payments.account a ON a.account_id = s.account_id
  LEFT JOIN payments.terminal t ON t.terminal_id = s.terminal_id
  LEFT JOIN duplicated d ON d.txn_id = s.txn_id
  WHERE d.txn_id IS NOT NULL
     OR a.account_id IS NULL
     OR (t.merchant_id = s.merchant_id) IS NOT TRUE
     OR (s.occurred_at >= $4 AND s.occurred_at < $5) IS NOT TRUE
     OR (s.amount > 0 AND s.amount <= $6) IS NOT TRUE
     OR (s.currency = ANY ($7)) IS NOT TRUE
     OR (s.kind = ANY ($8)) IS NOT TRUE
     OR (s.channel = ANY ($9)) IS NOT TRUE
     OR (s.network = ANY ($10)) IS NOT TRUE
     OR (s.status = ANY ($11)) IS NOT TRUE
     OR (s.response_code = ANY ($12)) IS NOT TRUE
     OR s.txn_id IS NULL
     OR s.is_fraud IS NULL
),
flagged AS MATERIALIZED (
  SELECT
    suspect.*,
    CASE
      WHEN txn_id IS NULL OR is_fraud IS NULL THEN 'incomplete'
      WHEN line_no > first_line THEN 'duplicate'
      WHEN (occurred_at >= $4 AND occurred_at < $5) IS NOT TRUE THEN 'bad_time'
      WHEN no_account THEN 'orphan_account'
      WHEN not_its_terminal AND NOT EXISTS (SELECT FROM payments.merchant m WHERE m.merchant_id = suspect.merchant_id)
        THEN 'orphan_merchant'
      WHEN no_terminal THEN 'orphan_terminal'
      WHEN not_its_terminal THEN 'foreign_terminal'
      WHEN (value > 0 AND value <= $6) IS NOT TRUE THEN 'bad_amount'
      WHEN (upper(btrim(currency)) = ANY ($7)) IS NOT TRUE THEN 'bad_currency'
      WHEN (lower(btrim(kind)) = ANY ($8) AND lower(btrim(channel)) = ANY ($9) AND lower(btrim(network)) = ANY ($10)
            AND lower(btrim(status)) = ANY ($11) AND btrim(response_code) = ANY ($12)) IS NOT TRUE THEN 'bad_code'
    END AS reason,
    CASE
      WHEN amount IS NULL THEN 'decimal_comma'
      WHEN (currency, kind, channel, network, status, response_code)
           <> (btrim(currency), btrim(kind), btrim(channel), btrim(network), btrim(status), btrim(response_code))
        THEN 'padding'
      WHEN (currency, kind, channel, network, status)
           <> (upper(currency), lower(kind), lower(channel), lower(network), lower(status)) THEN 'text_case'
    END AS repair
  FROM suspect
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
)
INSERT INTO :"leaf" (txn_id, occurred_at, account_id, merchant_id, terminal_id, amount, currency, kind, channel, network,
                     status, response_code, original_txn_id, is_fraud)
SELECT txn_id, occurred_at, account_id, merchant_id, terminal_id, amount, currency, kind, channel, network, status,
       response_code, original_txn_id, is_fraud
FROM :"staging" s
WHERE NOT EXISTS (SELECT FROM flagged f WHERE f.line_no = s.line_no)
UNION ALL
SELECT txn_id, occurred_at, account_id, merchant_id, terminal_id, value, upper(btrim(currency)), lower(btrim(kind)),
       lower(btrim(channel)), lower(btrim(network)), lower(btrim(status)), btrim(response_code), original_txn_id, is_fraud
FROM flagged
WHERE reason IS NULL
