-- What the console shows of wallets. Clearing and funding wallets are no customer's, and not in it.

CREATE VIEW wallet.console_wallet AS
SELECT wallet_id, user_id, currency, balance, created_at, updated_at, closed_at FROM wallet.wallet WHERE kind = 'customer';
COMMENT ON VIEW wallet.console_wallet IS 'Customers'' wallets; balances in minor units';

CREATE VIEW wallet.console_movement AS
SELECT movement_id, cause_id, kind, from_id, to_id, amount, currency, reference, moved_at FROM wallet.movement;
COMMENT ON VIEW wallet.console_movement IS 'Movements; amounts in minor units';

CREATE VIEW wallet.console_decision AS
SELECT payment_id, outcome, reason, wallet_id, currency, refunded, decided_at FROM wallet.decision;
COMMENT ON VIEW wallet.console_decision IS 'What was decided about payments; amounts in minor units';

GRANT USAGE ON SCHEMA wallet TO payments_console;
GRANT SELECT ON wallet.console_wallet, wallet.console_movement, wallet.console_decision TO payments_console;
