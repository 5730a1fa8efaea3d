-- Of the caller's own backends, ends those that wait for their client, and names them together with those that are gone:
-- for connections on which the client in turn waits for the server. A role may end its own backends.
-- $1 pids
-- Result: pids that do nothing for their client.

SELECT c.pid, pg_terminate_backend(a.pid) AS ended
FROM unnest($1::integer[]) AS c (pid)
LEFT JOIN pg_stat_activity a
  ON a.pid = c.pid AND a.usename = current_user AND a.application_name = current_setting('application_name')
WHERE a.pid IS NULL OR a.wait_event_type = 'Client'
