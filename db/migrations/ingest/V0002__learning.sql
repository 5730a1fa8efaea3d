-- What models taught: mappings of providers that have no rules, the events that they were tested on, and each call.

CREATE TABLE ingest.mapping (
  id            uuid        PRIMARY KEY,
  family        text        NOT NULL CHECK (length(family) BETWEEN 1 AND 400), -- provider, source and format
  shape         uuid        NOT NULL, -- of what several calls said about the same events, one is right at most
  layout        text        NOT NULL CHECK (layout ~ '^[0-9a-f]{16}$'), -- its events have it in their rule: learned/<layout>
  mapping       jsonb       NOT NULL,
  paths         jsonb       NOT NULL,
  state         text        NOT NULL CHECK (state IN ('candidate', 'promoted', 'rejected', 'retired')),
  votes         integer     NOT NULL CHECK (votes > 0),
  confirmations integer     NOT NULL CHECK (confirmations >= 0),
  waits_for     text,       -- why nobody but a person can promote it
  is_unsettled  boolean     NOT NULL DEFAULT false, -- it lost its place, and what it read is to be read anew
  decided_by    text        CHECK (length(decided_by) <= 100), -- null: the checks
  created_at    timestamptz NOT NULL DEFAULT now(),
  changed_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX mapping_by_family ON ingest.mapping (family);
CREATE INDEX mapping_unsettled ON ingest.mapping (layout) WHERE is_unsettled;
COMMENT ON TABLE ingest.mapping IS 'Where a provider''s events have their fields, as a model said and events confirmed';

-- A person's word and the checks' stay; what is promoted may know more statuses later.
CREATE FUNCTION ingest.keep_mapping() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
  IF (NEW.id, NEW.family, NEW.shape, NEW.layout) = (OLD.id, OLD.family, OLD.shape, OLD.layout)
     AND (OLD.state = NEW.state OR OLD.state IN ('candidate', 'promoted') AND NEW.state <> 'candidate') THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'mapping % is %: this change of it is refused', OLD.id, OLD.state USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER mapping_kept_in_order BEFORE UPDATE ON ingest.mapping
  FOR EACH ROW EXECUTE FUNCTION ingest.keep_mapping();
CREATE TRIGGER mapping_final BEFORE DELETE ON ingest.mapping
  FOR EACH ROW EXECUTE FUNCTION ops.refuse_change();
CREATE TRIGGER mapping_kept BEFORE TRUNCATE ON ingest.mapping
  FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();

CREATE TABLE ingest.learning_sample (
  family     text        NOT NULL,
  digest     text        NOT NULL CHECK (digest ~ '^[0-9a-f]{32}$'), -- of its leaves: the same event again is the same sample
  leaves     jsonb       NOT NULL, -- path, type and text of each field, without card data
  mapping_id uuid        REFERENCES ingest.mapping (id), -- that reads it; null: none does
  tries      smallint    NOT NULL DEFAULT 0 CHECK (tries >= 0), -- calls that brought nothing for it
  entered_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (family, digest)
);
CREATE INDEX learning_sample_by_age ON ingest.learning_sample (entered_at);
COMMENT ON TABLE ingest.learning_sample IS 'Events that mappings are made of and tested on';

-- One process asks about a family at a time.
CREATE TABLE ingest.learning_family (
  family        text        PRIMARY KEY,
  claimed_until timestamptz NOT NULL DEFAULT '-infinity',
  claim         uuid,
  next_call_at  timestamptz NOT NULL DEFAULT '-infinity',
  failures      smallint    NOT NULL DEFAULT 0 CHECK (failures >= 0) -- calls in a row that brought nothing
) WITH (fillfactor = 80);
COMMENT ON TABLE ingest.learning_family IS 'Whose turn it is to ask a model about a family of events';

CREATE TABLE ingest.model_call (
  id         uuid        PRIMARY KEY,
  family     text        NOT NULL,
  purpose    text        NOT NULL CHECK (purpose IN ('learn', 'confirm')),
  outcome    text        NOT NULL CHECK (outcome IN ('new', 'extended', 'confirmed', 'rival', 'refused', 'failed')),
  detail     text        CHECK (length(detail) <= 1000),
  ms         integer     NOT NULL CHECK (ms >= 0),
  tokens     integer     NOT NULL CHECK (tokens >= 0),
  called_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX model_call_by_age ON ingest.model_call (called_at);
COMMENT ON TABLE ingest.model_call IS 'Each question to a model, and what it brought; its text is kept nowhere';
CREATE TRIGGER model_call_kept BEFORE UPDATE OR TRUNCATE ON ingest.model_call
  FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();

GRANT SELECT, INSERT ON ingest.mapping TO payments_ingest;
GRANT UPDATE (mapping, paths, state, votes, confirmations, waits_for, is_unsettled, decided_by, changed_at) ON ingest.mapping TO payments_ingest;
GRANT SELECT, INSERT, UPDATE, DELETE ON ingest.learning_sample TO payments_ingest;
GRANT SELECT, INSERT, UPDATE ON ingest.learning_family TO payments_ingest;
GRANT SELECT, INSERT ON ingest.model_call TO payments_ingest;
