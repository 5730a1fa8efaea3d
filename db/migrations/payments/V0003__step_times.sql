-- A step is of the time at which it is taken. now() is when its transaction began: one that waited for a payment's row, or for its own
-- next statement, would tell its step as earlier than what was committed meanwhile.
ALTER TABLE saga.step ALTER COLUMN taken_at SET DEFAULT clock_timestamp();

-- What the wallet was told to give back is compared with what it took.
CREATE OR REPLACE VIEW saga.audit_orphan AS SELECT payment_id, recorded_at, amount FROM saga.orphan;
