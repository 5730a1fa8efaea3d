-- What the console shows of reporters: their own books.

CREATE VIEW reporter.console_tick AS SELECT window_uuid, seq, outcome FROM reporter.tick;
COMMENT ON VIEW reporter.console_tick IS 'What became of ticks';

GRANT USAGE ON SCHEMA reporter TO payments_console;
GRANT SELECT ON reporter.console_tick TO payments_console;
