-- after platform 6
-- What was done from the console, by whom and why. What must not be, PostgreSQL refuses: services/console/hostile_sql.int.test.ts tries.

CREATE SCHEMA console;

CREATE TABLE console.action (
  action_id    uuid        PRIMARY KEY DEFAULT ops.uuid_v7(),
  key          text        NOT NULL UNIQUE CHECK (length(key) BETWEEN 1 AND 510),
  fingerprint  bytea       NOT NULL CHECK (length(fingerprint) = 32), -- of what was asked, to tell a repetition from another request
  kind         text        NOT NULL CHECK (length(kind) BETWEEN 1 AND 50),
  subject      text        NOT NULL CHECK (length(subject) BETWEEN 1 AND 255),
  asked        json        NOT NULL, -- besides: which letters, a run's rows and months
  -- Of two actions on the same thing one waits for the other's end.
  thing        text        NOT NULL CHECK (length(thing) BETWEEN 1 AND 300),
  state        text        NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'done', 'failed')),
  result       json, -- as text: what was done may have told of any character
  failure      json,
  who          text        NOT NULL CHECK (length(who) BETWEEN 1 AND 200),
  why          text        NOT NULL CHECK (length(why) BETWEEN 1 AND 200),
  trace_id     uuid        NOT NULL,
  begun_at     timestamptz NOT NULL DEFAULT now(),
  ended_at     timestamptz,
  leased_until timestamptz NOT NULL, -- renewed by the process that does it: after that it is dead, and so is what it did
  CHECK ((state = 'running') = (ended_at IS NULL)),
  CHECK ((state = 'failed') = (failure IS NOT NULL)),
  CHECK ((state = 'done') = (result IS NOT NULL))
);
CREATE UNIQUE INDEX action_running_key ON console.action (thing) WHERE state = 'running';
COMMENT ON TABLE console.action IS 'What was done from the console: who, what and why; final once it has ended';

CREATE FUNCTION console.keep_action() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
BEGIN
  IF OLD.state <> 'running' THEN
    RAISE EXCEPTION 'action % is % for good', OLD.action_id, OLD.state USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END
$$;
REVOKE ALL ON FUNCTION console.keep_action FROM PUBLIC;
CREATE TRIGGER action_final BEFORE UPDATE ON console.action FOR EACH ROW EXECUTE FUNCTION console.keep_action();
CREATE TRIGGER action_kept BEFORE DELETE OR TRUNCATE ON console.action FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();

GRANT USAGE ON SCHEMA console, ops TO payments_console;
GRANT SELECT ON ops.module_migration, console.action TO payments_console;
GRANT INSERT (key, fingerprint, kind, subject, asked, thing, who, why, trace_id, leased_until) ON console.action TO payments_console;
GRANT UPDATE (state, result, failure, ended_at, leased_until) ON console.action TO payments_console;
