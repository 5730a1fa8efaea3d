-- What people do to the platform by hand, beginning with dead letters. Written by the tools, never changed afterwards: the
-- loader may add rows and move an action's progress on, but neither rewrite who did what nor delete it.

CREATE TABLE ops.dead_letter_action (
  action_id        bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  action           text        NOT NULL CHECK (action IN ('replay', 'purge')),
  queue            text        NOT NULL,
  letter_id        text,
  error_code       text,
  os_user          text        NOT NULL,
  host             text        NOT NULL,
  db_role          text        NOT NULL DEFAULT session_user,
  started_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
  finished_at      timestamptz,
  state            text        NOT NULL DEFAULT 'started' CHECK (state IN ('started', 'completed', 'failed')),
  letters_total    integer     NOT NULL CHECK (letters_total >= 0),
  letters_selected integer     NOT NULL DEFAULT 0,
  letters_done     integer     NOT NULL DEFAULT 0 CHECK (letters_done <= letters_selected),
  failure          text,
  CHECK (letter_id IS NULL OR error_code IS NULL),
  CHECK ((state = 'started') = (finished_at IS NULL))
);
COMMENT ON TABLE ops.dead_letter_action IS 'Each replay and purge of dead letters: who, when, which, how many';
COMMENT ON COLUMN ops.dead_letter_action.letter_id IS 'Only this letter was meant; null together with error_code: all were';
COMMENT ON COLUMN ops.dead_letter_action.error_code IS 'Only letters with this code were meant';
COMMENT ON COLUMN ops.dead_letter_action.state IS 'One that stays started was killed: its letters say how far it got';
COMMENT ON COLUMN ops.dead_letter_action.letters_total IS 'In the queue when it began; later ones are left alone';

CREATE TABLE ops.dead_letter_action_letter (
  action_id      bigint      NOT NULL REFERENCES ops.dead_letter_action,
  letter_no      integer     NOT NULL CHECK (letter_no > 0),
  letter_id      text        NOT NULL,
  error_code     text        NOT NULL,
  last_failed_at timestamptz,
  body_bytes     integer     NOT NULL,
  body_sha256    text        NOT NULL,
  body_preview   text        NOT NULL,
  recorded_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (action_id, letter_no)
);
COMMENT ON TABLE ops.dead_letter_action_letter IS
  'Letters an action dealt with; written after a replay''s copy is confirmed and before the letter leaves the queue';

GRANT SELECT ON ops.dead_letter_action, ops.dead_letter_action_letter TO payments_loader;
GRANT INSERT (action, queue, letter_id, error_code, os_user, host, letters_total)
  ON ops.dead_letter_action TO payments_loader;
GRANT UPDATE (state, finished_at, letters_selected, letters_done, failure) ON ops.dead_letter_action TO payments_loader;
GRANT INSERT (action_id, letter_no, letter_id, error_code, last_failed_at, body_bytes, body_sha256, body_preview)
  ON ops.dead_letter_action_letter TO payments_loader;
GRANT SELECT ON ops.dead_letter_action TO payments_exporter;
