-- The ledger: what was asked for, what is done. PostgreSQL is the truth; messages only say where to look.
-- Every step changes its rows here in the same transaction as the data, so that the two cannot disagree.

CREATE TABLE etl.run (
  run_id            text        PRIMARY KEY CHECK (run_id ~ '^r[0-9]{1,9}$'),
  state             text        NOT NULL CHECK (state IN ('planned', 'running', 'done', 'cancelled')),
  -- The spec: with the generator's version it decides every byte of the run.
  txn_rows          bigint      NOT NULL CHECK (txn_rows >= 0),
  seed              bigint      NOT NULL,
  from_on           date        NOT NULL,
  to_on             date        NOT NULL CHECK (to_on > from_on),
  dirt_rate         float8      NOT NULL CHECK (dirt_rate BETWEEN 0 AND 1),
  fraud_rate        float8      NOT NULL CHECK (fraud_rate BETWEEN 0 AND 1),
  chunk_rows        integer     NOT NULL CHECK (chunk_rows > 0),
  first_txn_id      bigint      NOT NULL UNIQUE CHECK (first_txn_id > 0),
  generator_version integer     NOT NULL,
  -- How it is handed out: chunks 0 … next_chunk - 1 have been sent out, at most window_chunks of them unfinished.
  window_chunks     integer     NOT NULL CHECK (window_chunks > 0),
  chunks_total      integer,
  next_chunk        integer     NOT NULL DEFAULT 0,
  months_total      integer,
  months_done       integer     NOT NULL DEFAULT 0,
  -- A bare `stage` message carries no identity: when it is redelivered, these find the run that it began.
  begun_by_message  boolean     NOT NULL DEFAULT false,
  redeliveries      integer     NOT NULL DEFAULT 0,
  created_at        timestamptz NOT NULL DEFAULT now(),
  started_at        timestamptz,
  finished_at       timestamptz
);
COMMENT ON TABLE etl.run IS 'One request for transactions: its spec and its progress';

CREATE TABLE etl.run_month (
  run_id       text    NOT NULL REFERENCES etl.run,
  month        date    NOT NULL,
  txn_rows     bigint  NOT NULL,
  chunks_total integer NOT NULL,
  chunks_done  integer NOT NULL DEFAULT 0 CHECK (chunks_done <= chunks_total),
  state        text    NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'done')),
  agg_ms       integer,
  finished_at  timestamptz,
  PRIMARY KEY (run_id, month)
);
COMMENT ON TABLE etl.run_month IS 'A month of a run: agg is due when all its chunks are cleaned';

-- A chunk has a row from the moment its stage step begins; the row is the lock that keeps its steps one at a time.
CREATE TABLE etl.chunk (
  run_id         text    NOT NULL REFERENCES etl.run,
  chunk_no       integer NOT NULL CHECK (chunk_no >= 0),
  month          date    NOT NULL,
  state          text    NOT NULL CHECK (state IN ('staged', 'cleaned')),
  first_txn_id   bigint  NOT NULL,
  txn_rows       integer NOT NULL,
  -- Predicted by the generator before anything is loaded; verify recomputes both from the table.
  accepted_key   integer,
  digest_a       numeric(20),
  digest_b       numeric(20),
  -- Found by clean.
  accepted       integer,
  repaired       integer,
  rejected       integer,
  released_chunk integer,
  worker         text    NOT NULL,
  copy_bytes     bigint,
  stage_ms       integer,
  clean_ms       integer,
  staged_at      timestamptz,
  cleaned_at     timestamptz,
  PRIMARY KEY (run_id, chunk_no)
);
COMMENT ON COLUMN etl.chunk.accepted_key IS 'Rows the generator says will be accepted';
COMMENT ON COLUMN etl.chunk.released_chunk IS 'The chunk that this one''s completion sent out, so that a redelivery sends the same';

CREATE TABLE etl.chunk_class (
  run_id   text    NOT NULL,
  chunk_no integer NOT NULL,
  class    text    NOT NULL,
  outcome  text    NOT NULL CHECK (outcome IN ('repaired', 'rejected', 'fraud')),
  injected integer NOT NULL DEFAULT 0,
  found    integer NOT NULL DEFAULT 0,
  PRIMARY KEY (run_id, chunk_no, class),
  FOREIGN KEY (run_id, chunk_no) REFERENCES etl.chunk ON DELETE CASCADE
);
COMMENT ON TABLE etl.chunk_class IS 'The answer key (injected, written by stage) beside what clean found, per chunk and class';
COMMENT ON COLUMN etl.chunk_class.found IS 'For fraud classes always 0: nothing in the pipeline looks for fraud yet';

CREATE TABLE etl.month (
  month        date PRIMARY KEY CHECK (extract(day FROM month) = 1),
  published_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE etl.month IS 'Published months: the leaves of txn';

CREATE TABLE etl.worker (
  worker_id    text        PRIMARY KEY,
  started_at   timestamptz NOT NULL DEFAULT now(),
  heartbeat_at timestamptz NOT NULL DEFAULT now(),
  reaped_at    timestamptz
);
COMMENT ON TABLE etl.worker IS 'Workers by their last sign of life; one that is silent for longer than its lease loses its connections';

CREATE TABLE etl.population (
  only_row   boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
  seed       bigint      NOT NULL,
  accounts   integer     NOT NULL,
  merchants  integer     NOT NULL,
  terminals  integer     NOT NULL,
  seeded_at  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE etl.population IS 'Which dimensions were seeded; the generator refers to just these';

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA etl TO payments_loader;
GRANT SELECT ON ALL TABLES IN SCHEMA etl TO payments_exporter;
