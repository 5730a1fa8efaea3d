-- Why a run does not go on: steps whose message ended as a dead letter. Without it the ledger said `running` for good, and only
-- the dead-letter queue knew better.

CREATE TABLE etl.failure (
  run_id     text        NOT NULL REFERENCES etl.run,
  step       text        NOT NULL CHECK (step IN ('plan', 'stage', 'clean', 'agg')),
  chunk_no   integer,
  month      date,
  code       text        NOT NULL,
  reason     text        NOT NULL,
  attempts   integer     NOT NULL CHECK (attempts > 0),
  message_id text,
  worker     text        NOT NULL,
  failed_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  CHECK ((chunk_no IS NOT NULL) = (step IN ('stage', 'clean'))),
  CHECK ((month IS NOT NULL) = (step = 'agg')),
  UNIQUE NULLS NOT DISTINCT (run_id, step, chunk_no, month)
);
COMMENT ON TABLE etl.failure IS 'The last dead letter of each step; written by the worker that made it, if the database is there then';
COMMENT ON COLUMN etl.failure.message_id IS 'Of the dead letter; null when its sender gave it none';

-- A failure stands while the run waits for just that step, and nobody has sent its letter again.
CREATE VIEW etl.standing_failure AS
SELECT f.run_id, f.step, f.chunk_no, f.month, f.code, f.reason, f.attempts, f.message_id, f.worker, f.failed_at
FROM etl.failure f
JOIN etl.run r ON r.run_id = f.run_id
LEFT JOIN etl.chunk c ON c.run_id = f.run_id AND c.chunk_no = f.chunk_no
LEFT JOIN etl.run_month m ON m.run_id = f.run_id AND m.month = f.month
WHERE CASE f.step
        WHEN 'plan'  THEN r.state = 'planned'
        WHEN 'stage' THEN r.state = 'running' AND f.chunk_no < r.next_chunk AND c.state IS NULL
        WHEN 'clean' THEN r.state = 'running' AND c.state = 'staged'
        ELSE r.state = 'running' AND m.state = 'open' AND m.chunks_done = m.chunks_total
      END
  AND NOT EXISTS (
    SELECT 1
    FROM ops.dead_letter_action_letter l
    JOIN ops.dead_letter_action a ON a.action_id = l.action_id
    WHERE a.action = 'replay' AND l.letter_id = f.message_id AND l.recorded_at > f.failed_at
  );
COMMENT ON VIEW etl.standing_failure IS 'What keeps an unfinished run from going on';

GRANT SELECT, INSERT, UPDATE, DELETE ON etl.failure TO payments_loader;
GRANT SELECT ON etl.standing_failure TO payments_loader;
GRANT SELECT ON etl.failure, etl.standing_failure TO payments_exporter;
