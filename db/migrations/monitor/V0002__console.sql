-- What the console shows of windows.

CREATE VIEW monitor.console_report AS SELECT window_uuid, seq, ok, late FROM monitor.report;
COMMENT ON VIEW monitor.console_report IS 'Which reports of windows have come';

-- Without the counts of reports, by which a list need not look.
CREATE VIEW monitor.console_window AS SELECT id, window_uuid, service, state FROM monitor.report_window;
COMMENT ON VIEW monitor.console_window IS 'Windows, without what came of their reports';

GRANT USAGE ON SCHEMA monitor TO payments_console;
GRANT SELECT ON monitor.window_count, monitor.console_report, monitor.console_window, monitor.state, monitor.service_state TO payments_console;
