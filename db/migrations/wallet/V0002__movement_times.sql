-- Money moves when its row is entered. now() is when the transaction began: a refund that waited for its wallet would be told as earlier
-- than those that it waited for, and no longer be the newest of its payment.
ALTER TABLE wallet.movement ALTER COLUMN moved_at SET DEFAULT clock_timestamp();
