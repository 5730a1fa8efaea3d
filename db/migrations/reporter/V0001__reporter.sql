-- after platform 1
-- Windows that reporters open, and what became of each of their ticks: audited first, published then, marked last.

CREATE SCHEMA reporter;

CREATE TABLE reporter.process (
  process      text        PRIMARY KEY CHECK (length(process) BETWEEN 1 AND 63),
  leased_until timestamptz NOT NULL
);
COMMENT ON TABLE reporter.process IS 'Reporters that live; of one that does not, another one of its service takes the windows';

CREATE TABLE reporter.report_window (
  window_uuid   uuid             PRIMARY KEY,
  id            bigint           GENERATED ALWAYS AS IDENTITY UNIQUE,
  service       text             NOT NULL CHECK (length(service) BETWEEN 1 AND 63),
  seed          bigint           NOT NULL CHECK (seed >= 0), -- what goes wrong follows from it
  error_rate    double precision NOT NULL CHECK (error_rate BETWEEN 0 AND 1),
  omission_rate double precision NOT NULL CHECK (omission_rate BETWEEN 0 AND 1),
  interval_ms   integer          NOT NULL CHECK (interval_ms BETWEEN 10 AND 3600000),
  duration_ms   integer          NOT NULL CHECK (duration_ms >= interval_ms),
  expected      integer          NOT NULL GENERATED ALWAYS AS (duration_ms / interval_ms) STORED,
  opened_at     timestamptz      NOT NULL DEFAULT clock_timestamp(), -- by the database's clock: who takes it over goes by it
  window_from   timestamptz      NOT NULL, -- by the reporter's
  process       text             NOT NULL,
  audited_at    timestamptz, -- each of its ticks has its row
  created_at    timestamptz      NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX report_window_open_idx ON reporter.report_window (service) WHERE audited_at IS NULL;
CREATE INDEX report_window_age_idx ON reporter.report_window (created_at);
COMMENT ON TABLE reporter.report_window IS 'A window that was opened, and its schedule';

CREATE TABLE reporter.tick (
  window_uuid uuid        NOT NULL REFERENCES reporter.report_window,
  seq         integer     NOT NULL CHECK (seq >= 0), -- 0: that the window was opened
  id          bigint      GENERATED ALWAYS AS IDENTITY,
  status      text        NOT NULL CHECK (status = 'ok' OR status LIKE 'error: _%'),
  -- sending: audited, and not confirmed yet. stalled: its process lived and came too late. unknown: its process was dead.
  outcome     text        NOT NULL CHECK (outcome IN ('sending', 'sent', 'omitted', 'stalled', 'unknown')),
  ticked_at   timestamptz NOT NULL, -- by the reporter's clock
  tried_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
  created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (window_uuid, seq),
  CHECK (outcome IN ('sending', 'sent') OR seq > 0) -- a window is never declared by chance
) WITH (fillfactor = 80);
CREATE INDEX tick_sending_idx ON reporter.tick (tried_at) WHERE outcome = 'sending';
CREATE INDEX tick_age_idx ON reporter.tick (created_at);
COMMENT ON TABLE reporter.tick IS 'What became of each tick';

CREATE FUNCTION reporter.keep_tick() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
  IF (NEW.window_uuid, NEW.seq, NEW.id, NEW.status, NEW.ticked_at, NEW.created_at)
     = (OLD.window_uuid, OLD.seq, OLD.id, OLD.status, OLD.ticked_at, OLD.created_at)
     AND OLD.outcome = 'sending' AND NEW.outcome IN ('sending', 'sent') THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'tick % of window % is %: this change of it is refused', OLD.seq, OLD.window_uuid, OLD.outcome
    USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER tick_kept_in_order BEFORE UPDATE ON reporter.tick FOR EACH ROW EXECUTE FUNCTION reporter.keep_tick();

CREATE FUNCTION reporter.refuse_young() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
  IF current_user <> 'payments_owner' AND OLD.created_at > now() - interval '28 days' THEN
    RAISE EXCEPTION 'DELETE of %.% is refused: the row is younger than 28 days', TG_TABLE_SCHEMA, TG_TABLE_NAME
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN OLD;
END
$$;
CREATE TRIGGER tick_kept BEFORE DELETE ON reporter.tick FOR EACH ROW EXECUTE FUNCTION reporter.refuse_young();
CREATE TRIGGER report_window_kept BEFORE DELETE ON reporter.report_window FOR EACH ROW EXECUTE FUNCTION reporter.refuse_young();
CREATE TRIGGER tick_kept_all BEFORE TRUNCATE ON reporter.tick FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();
CREATE TRIGGER report_window_kept_all BEFORE TRUNCATE ON reporter.report_window
  FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();

CREATE FUNCTION reporter.keep_window() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
  IF (NEW.window_uuid, NEW.id, NEW.service, NEW.seed, NEW.error_rate, NEW.omission_rate, NEW.interval_ms, NEW.duration_ms,
      NEW.opened_at, NEW.window_from, NEW.created_at)
     = (OLD.window_uuid, OLD.id, OLD.service, OLD.seed, OLD.error_rate, OLD.omission_rate, OLD.interval_ms, OLD.duration_ms,
        OLD.opened_at, OLD.window_from, OLD.created_at)
     AND (OLD.audited_at IS NULL OR NEW.audited_at = OLD.audited_at) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'window %: this change of it is refused', OLD.window_uuid USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER report_window_kept_in_order BEFORE UPDATE ON reporter.report_window
  FOR EACH ROW EXECUTE FUNCTION reporter.keep_window();

SELECT ops.add_service_tables('reporter');

CREATE VIEW reporter.audit_window AS
SELECT window_uuid, service, expected, omission_rate, audited_at IS NOT NULL AS audited, opened_at, duration_ms
FROM reporter.report_window WHERE created_at > now() - interval '28 days';
CREATE VIEW reporter.audit_tick AS
SELECT t.window_uuid, t.seq, t.outcome, t.status FROM reporter.tick t JOIN reporter.audit_window USING (window_uuid);

-- What is not as it must be, a row a difference; no rows is the proof.
CREATE VIEW reporter.audit_difference AS
SELECT 'window ' || window_uuid AS what, expected + 1 || ' ticks' AS expected, count(t.seq) || ' ticks' AS found
FROM reporter.audit_window w LEFT JOIN reporter.tick t USING (window_uuid)
WHERE w.audited
GROUP BY window_uuid, expected
HAVING count(t.seq) <> expected + 1 OR max(t.seq) > expected;
COMMENT ON VIEW reporter.audit_difference IS 'Windows whose audit is not complete although it once was';

CREATE VIEW reporter.state AS
SELECT (SELECT count(*) FROM reporter.report_window WHERE audited_at IS NULL) AS open_windows,
       (SELECT count(*) FROM reporter.tick WHERE outcome = 'sending') AS unsent_ticks,
       greatest(coalesce(extract(epoch FROM clock_timestamp() - (SELECT min(created_at) FROM reporter.tick WHERE outcome = 'sending')), 0), 0)
         ::double precision AS unsent_oldest_age_seconds;
COMMENT ON VIEW reporter.state IS 'How many windows are under way, and reports that the broker has not confirmed';

-- The contract's names.
CREATE VIEW public.report_windows AS
SELECT id, window_uuid, service, window_from, window_from + duration_ms * interval '1 millisecond' AS window_to,
       error_rate AS error_status_generado, omission_rate AS error_status_no_reportado, created_at
FROM reporter.report_window;
COMMENT ON VIEW public.report_windows IS 'Windows as their reporters opened them';
CREATE VIEW public.report_audit AS
SELECT t.id, t.window_uuid, w.service, t.status, t.outcome = 'sent' AS sent_to_queue, t.ticked_at AS "timestamp", t.created_at
FROM reporter.tick t JOIN reporter.report_window w USING (window_uuid)
WHERE t.seq > 0;
COMMENT ON VIEW public.report_audit IS 'What became of each tick of a reporter';

GRANT SELECT, INSERT, DELETE ON reporter.process, reporter.report_window, reporter.tick TO payments_reporter;
GRANT UPDATE ON reporter.process TO payments_reporter;
GRANT UPDATE (process, audited_at) ON reporter.report_window TO payments_reporter;
GRANT UPDATE (outcome, tried_at) ON reporter.tick TO payments_reporter;
GRANT SELECT ON reporter.audit_difference, reporter.audit_window, reporter.audit_tick TO payments_loader;
GRANT SELECT ON reporter.audit_difference, reporter.state TO payments_exporter;
GRANT SELECT ON public.report_windows, public.report_audit TO payments_reader, payments_exporter, payments_reporter, payments_loader;
