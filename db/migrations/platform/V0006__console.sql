-- What the console shows of backups, dead letters and the audit.
-- after etl 5

-- A letter's id says what was done with it since.
CREATE INDEX dead_letter_action_letter_by_id ON ops.dead_letter_action_letter (letter_id);

CREATE VIEW ops.console_dead_letter AS
SELECT d.letter_no, d.queue, d.consumer, d.event, d.message_id, d.trace_id, d.code, d.last_code, d.attempts, d.recorded_at,
       taken.action AS done
FROM ops.dead_letter d
LEFT JOIN LATERAL (
  SELECT a.action
  FROM ops.dead_letter_action_letter l
  JOIN ops.dead_letter_action a USING (action_id)
  WHERE l.letter_id = d.message_id AND a.queue = d.queue AND l.recorded_at > d.recorded_at
  ORDER BY l.recorded_at
  LIMIT 1
) taken ON true;
COMMENT ON VIEW ops.console_dead_letter IS 'Dead letters, and what was done with them first';

CREATE VIEW ops.console_backup AS
SELECT backup_id, kind, state, started_at, finished_at, bytes, row_count, failure FROM ops.backup;
COMMENT ON VIEW ops.console_backup IS 'Backups that ended';

CREATE VIEW ops.console_drill AS
SELECT drill_id, backup_id, place, state, started_at, finished_at, restore_ms, verify_ms, differences, failure FROM ops.restore_drill;
COMMENT ON VIEW ops.console_drill IS 'Backups that were restored to see whether they can be';

CREATE VIEW ops.console_audit_result AS SELECT finished_at, differences FROM ops.audit_result;
COMMENT ON VIEW ops.console_audit_result IS 'What the latest payments audit found';

GRANT USAGE ON SCHEMA ops TO payments_console;
GRANT SELECT ON ops.console_dead_letter, ops.console_backup, ops.console_drill, ops.console_audit_result TO payments_console;
GRANT EXECUTE ON FUNCTION ops.outbox_state TO payments_console;
