-- How often the console's operator sees that a dead letter was sent again.
-- after etl 5

CREATE VIEW ops.console_replay AS
SELECT l.letter_id, a.queue, a.os_user AS replayed_by, l.recorded_at AS replayed_at
FROM ops.dead_letter_action_letter l
JOIN ops.dead_letter_action a USING (action_id)
WHERE a.action = 'replay';
COMMENT ON VIEW ops.console_replay IS 'Dead letters that were sent again, once for each time';

GRANT SELECT ON ops.console_replay TO payments_console;
