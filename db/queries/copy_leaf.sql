-- Adds the rows of one leaf to another.
-- :"from", :"to" leaves, published or not

INSERT INTO :"to" (txn_id, occurred_at, account_id, merchant_id, terminal_id, amount, currency, kind, channel, network,
                   status, response_code, original_txn_id, is_fraud)
SELECT txn_id, occurred_at, account_id, merchant_id, terminal_id, amount, currency, kind, channel, network, status,
       response_code, original_txn_id, is_fraud
FROM :"from"
