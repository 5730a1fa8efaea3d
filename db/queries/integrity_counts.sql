-- Rows per published month: what the ledger says was accepted, and what txn holds. The two are equal.
--
-- Grouped by leaf, not by a date made of occurred_at: the planner knows that a leaf is one group, so each is counted by
-- itself and in parallel, but takes every row for a group of its own when it sees an expression.

WITH found AS (
  SELECT tableoid AS leaf, count(*) AS rows
  FROM payments.txn
  GROUP BY tableoid
),
promised AS (
  SELECT to_regclass('payments.' || etl.leaf_name(m.month))::oid AS leaf, sum(c.accepted) AS rows
  FROM etl.month m
  JOIN etl.run_month rm ON rm.month = m.month AND rm.state = 'done'
  JOIN etl.chunk c ON c.run_id = rm.run_id AND c.month = rm.month
  GROUP BY m.month
)
SELECT leaf::regclass AS leaf, coalesce(p.rows, 0) AS ledger_rows, coalesce(f.rows, 0) AS txn_rows
FROM promised p
FULL JOIN found f USING (leaf)
ORDER BY leaf::regclass::text
