-- What became a dead letter, for whoever asks what failed when, and in which letter a trace ended. A consumer enters it once the
-- letter is safe in its queue, and only if the database answers: the broker has the message, this is a note about it.

CREATE TABLE ops.dead_letter (
  letter_no   bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  queue       text        NOT NULL,
  consumer    text        NOT NULL,
  event       text,
  message_id  text,
  trace_id    uuid,
  code        text        NOT NULL,
  last_code   text        NOT NULL,
  attempts    bigint      NOT NULL CHECK (attempts > 0),
  recorded_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX dead_letter_by_time ON ops.dead_letter (recorded_at);
CREATE INDEX dead_letter_by_trace ON ops.dead_letter (trace_id) WHERE trace_id IS NOT NULL;
COMMENT ON TABLE ops.dead_letter IS
  'Messages that failed for good: at most 1,000,000 of the last 90 days; no body, and no row where the database was away';
COMMENT ON COLUMN ops.dead_letter.queue IS 'The dead letters among which it lies, e.g. wallet.dlq';
COMMENT ON COLUMN ops.dead_letter.consumer IS 'The work queue whose consumer failed';
COMMENT ON COLUMN ops.dead_letter.code IS 'As it stands on the letter: what payments dlq --reason takes';
COMMENT ON COLUMN ops.dead_letter.last_code IS 'Of the last attempt; another one than code where the attempts ran out';

-- Keeps the table small without a right or a job of anybody's: whoever enters a row has the oldest looked at. A statement enters 500
-- at most, so 1,000 are enough to keep up.
CREATE FUNCTION ops.forget_dead_letters() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
  -- One at a time: two would wait for each other's rows.
  IF pg_try_advisory_xact_lock(hashtext('ops.forget_dead_letters')) THEN
    DELETE FROM ops.dead_letter
    WHERE letter_no IN (
      SELECT letter_no
      FROM (SELECT letter_no, recorded_at FROM ops.dead_letter ORDER BY letter_no LIMIT 1000) oldest
      WHERE recorded_at < now() - interval '90 days'
         OR letter_no <= (SELECT max(letter_no) - 1000000 FROM ops.dead_letter));
  END IF;
  RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION ops.forget_dead_letters FROM PUBLIC;
CREATE TRIGGER dead_letter_bound AFTER INSERT ON ops.dead_letter
  FOR EACH STATEMENT EXECUTE FUNCTION ops.forget_dead_letters();

-- Services enter theirs as payments_app, whatever their own role is: one of them has no tables, and no role.
GRANT INSERT (queue, consumer, event, message_id, trace_id, code, last_code, attempts)
  ON ops.dead_letter TO payments_app, payments_loader;
GRANT SELECT ON ops.dead_letter TO payments_loader;
