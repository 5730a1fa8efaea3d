-- An authorisation: whose card, which terminal, and the transaction entered, in one commit. Its id is unique by client and
-- count; its time lies in the last day of the data, where live traffic would write.
-- account_first account_last terminal_first terminal_last last_day next_txn_id: from the loaded data; n starts at 0
\set account random(:account_first, :account_last)
\set terminal random(:terminal_first, :terminal_last)
\set cents random(100, 25000)
\set second random(0, 86399)
\set n :n + 1
\set txn :next_txn_id + :client_id * 1000000000 + :n
BEGIN;
SELECT currency, card_network FROM account WHERE account_id = :account \gset
SELECT merchant_id, channel FROM terminal WHERE terminal_id = :terminal \gset
INSERT INTO txn (txn_id, occurred_at, account_id, merchant_id, terminal_id, amount, currency, kind, channel, network, status,
                 response_code, is_fraud)
VALUES (:txn, :last_day::timestamptz + :second * interval '1 second', :account, :merchant_id, :terminal, :cents / 100.0,
        :currency, 'purchase', :channel, :card_network, 'approved', '00', false);
COMMIT;
