-- What an authorisation must know of the card's account and of the terminal that asks. No row: one of them does not exist.
-- $1 account_id  $2 terminal_id

SELECT a.country AS account_country, a.currency AS account_currency, a.segment, a.spending_level, a.card_network,
       t.merchant_id, t.channel, m.mcc, m.category, m.country AS merchant_country, m.currency
FROM payments.account a
CROSS JOIN payments.terminal t
JOIN payments.merchant m ON m.merchant_id = t.merchant_id
WHERE a.account_id = $1 AND t.terminal_id = $2
