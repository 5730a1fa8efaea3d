-- What the console shows of reports.

CREATE VIEW reports.console_generation AS SELECT generation, state, position, changed_at FROM reports.generation;
COMMENT ON VIEW reports.console_generation IS 'Read models';

CREATE VIEW reports.console_switch AS SELECT epoch, version, generation, switched_by, switched_at FROM reports.switch;
COMMENT ON VIEW reports.console_switch IS 'Who served what, and when';

GRANT USAGE ON SCHEMA reports TO payments_console;
GRANT SELECT ON reports.console_generation, reports.console_switch, reports.served, reports.state TO payments_console;
