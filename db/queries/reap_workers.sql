-- Ends the connections of workers that have been silent for longer than their lease, and with them the transactions that
-- hold their chunks: what a frozen worker wakes up to commit is gone. A role may end its own backends.
-- By the database's clock alone, so a worker's own may be wrong.
-- $1 lease in milliseconds

WITH silent AS (
  UPDATE etl.worker
  SET reaped_at = clock_timestamp()
  WHERE heartbeat_at < clock_timestamp() - $1 * interval '1 millisecond' AND reaped_at IS NULL
  RETURNING worker_id
)
SELECT s.worker_id, count(a.pid) FILTER (WHERE pg_terminate_backend(a.pid)) AS backends
FROM silent s
LEFT JOIN pg_stat_activity a
  ON a.application_name = 'payments-worker ' || s.worker_id
 AND a.datname = current_database() AND a.usename = current_user
GROUP BY s.worker_id
