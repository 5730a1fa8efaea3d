-- The refunds of a purchase: what has been given back already.
-- $1 txn_id of the purchase  $2 its occurred_at: no refund is older, so earlier months are not looked at

SELECT txn_id, occurred_at, amount, currency, status
FROM payments.txn
WHERE original_txn_id = $1 AND occurred_at >= $2
