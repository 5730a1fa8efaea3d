-- What the console shows of partners' events: how many come. Nothing of what they say.

CREATE VIEW collector.console_event AS SELECT id, type, received_at FROM collector.event;
COMMENT ON VIEW collector.console_event IS 'Partners'' events, without what they tell';

GRANT USAGE ON SCHEMA collector TO payments_console;
GRANT SELECT ON collector.console_event TO payments_console;
