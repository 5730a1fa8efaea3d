-- after platform 3
-- Monitoring windows. What must not be, PostgreSQL refuses: services/monitor/hostile_sql.int.test.ts tries.

CREATE SCHEMA monitor;

CREATE TABLE monitor.report_window (
  window_uuid uuid        PRIMARY KEY,
  id          bigint      GENERATED ALWAYS AS IDENTITY UNIQUE,
  -- The schedule, as the first word of the window told it.
  service     text        NOT NULL CHECK (length(service) BETWEEN 1 AND 63),
  window_from timestamptz NOT NULL, -- by the sender's clock
  window_to   timestamptz NOT NULL,
  interval_ms integer     NOT NULL CHECK (interval_ms BETWEEN 10 AND 3600000),
  expected    integer     NOT NULL CHECK (expected BETWEEN 1 AND 86400),
  -- Its sender ended by then: no report is to be expected after this one.
  last_seq    integer     CHECK (last_seq BETWEEN 0 AND expected),
  -- By our clock: the earliest that any report allows, and grace.
  deadline    timestamptz NOT NULL,
  state       text        NOT NULL DEFAULT 'OPEN' CHECK (state IN ('OPEN', 'UNKNOWN', 'CLOSED', 'ALERT', 'RESOLVED_LATE')),
  -- As they were when it was decided; later ones are late.
  received    integer     CHECK (received BETWEEN 0 AND expected),
  errors      integer     CHECK (errors BETWEEN 0 AND received),
  closed_at   timestamptz,
  decided_at  timestamptz,
  created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  CHECK ((state IN ('OPEN', 'UNKNOWN')) = (decided_at IS NULL)),
  CHECK ((decided_at IS NULL) = (received IS NULL)),
  CHECK ((decided_at IS NULL) = (errors IS NULL)),
  CHECK ((decided_at IS NULL) = (closed_at IS NULL)),
  CHECK (state <> 'CLOSED' OR received >= coalesce(last_seq, expected)),
  CHECK (state <> 'ALERT' OR received < coalesce(last_seq, expected))
) WITH (fillfactor = 70); -- each report touches its window
CREATE INDEX report_window_due_idx ON monitor.report_window (deadline) WHERE state IN ('OPEN', 'UNKNOWN');
CREATE INDEX report_window_age_idx ON monitor.report_window (created_at, id);
CREATE INDEX report_window_service_idx ON monitor.report_window (service, id);
CREATE INDEX report_window_state_idx ON monitor.report_window (state, id) WHERE state IN ('OPEN', 'UNKNOWN', 'ALERT', 'RESOLVED_LATE');
COMMENT ON TABLE monitor.report_window IS 'A window and its schedule: which reports are to come, and whether they did';

CREATE TABLE monitor.transition (
  from_state text NOT NULL,
  to_state   text NOT NULL,
  PRIMARY KEY (from_state, to_state)
);
INSERT INTO monitor.transition VALUES
  ('OPEN', 'OPEN'), ('OPEN', 'CLOSED'), ('OPEN', 'ALERT'), ('OPEN', 'UNKNOWN'),
  ('UNKNOWN', 'UNKNOWN'), ('UNKNOWN', 'CLOSED'), ('UNKNOWN', 'ALERT'),
  ('CLOSED', 'CLOSED'), ('ALERT', 'ALERT'), ('ALERT', 'RESOLVED_LATE'), ('RESOLVED_LATE', 'RESOLVED_LATE');
COMMENT ON TABLE monitor.transition IS 'Changes of state that there are; all others are refused';

CREATE FUNCTION monitor.keep_window() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
  IF (NEW.window_uuid, NEW.id, NEW.service, NEW.window_from, NEW.window_to, NEW.interval_ms, NEW.expected, NEW.created_at)
     = (OLD.window_uuid, OLD.id, OLD.service, OLD.window_from, OLD.window_to, OLD.interval_ms, OLD.expected, OLD.created_at)
     AND NEW.deadline <= OLD.deadline
     AND (NEW.last_seq IS NOT DISTINCT FROM OLD.last_seq
          OR (OLD.decided_at IS NULL AND NEW.last_seq <= coalesce(OLD.last_seq, OLD.expected)))
     AND (OLD.state = NEW.state OR NEW.state IN ('OPEN', 'UNKNOWN') OR monitor.agrees(NEW))
     AND (OLD.decided_at IS NULL
          OR (NEW.received, NEW.errors, NEW.closed_at, NEW.decided_at, NEW.deadline)
             = (OLD.received, OLD.errors, OLD.closed_at, OLD.decided_at, OLD.deadline))
     AND EXISTS (SELECT FROM monitor.transition WHERE from_state = OLD.state AND to_state = NEW.state) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'window % is %: this change of it is refused', OLD.window_uuid, OLD.state USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER report_window_kept_in_order BEFORE UPDATE ON monitor.report_window
  FOR EACH ROW EXECUTE FUNCTION monitor.keep_window();

-- Rows that are kept for a time go only after it.
CREATE FUNCTION monitor.refuse_young() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
  IF OLD.created_at > now() - interval '28 days' THEN
    RAISE EXCEPTION 'DELETE of %.% is refused: the row is younger than 28 days', TG_TABLE_SCHEMA, TG_TABLE_NAME
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN OLD;
END
$$;
CREATE TRIGGER report_window_kept BEFORE DELETE ON monitor.report_window
  FOR EACH ROW EXECUTE FUNCTION monitor.refuse_young();
CREATE TRIGGER report_window_final BEFORE TRUNCATE ON monitor.report_window
  FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();

-- A set: a report that comes again is the same row.
CREATE TABLE monitor.report (
  window_uuid   uuid        NOT NULL REFERENCES monitor.report_window,
  seq           integer     NOT NULL CHECK (seq > 0),
  id            bigint      GENERATED ALWAYS AS IDENTITY,
  ok            boolean     NOT NULL,
  error_message text        CHECK (length(error_message) <= 500),
  reported_at   timestamptz NOT NULL, -- by the sender's clock
  late          boolean     NOT NULL, -- it came after its window was decided
  created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (window_uuid, seq)
);
CREATE INDEX report_age_idx ON monitor.report (created_at);
CREATE TRIGGER report_final BEFORE UPDATE ON monitor.report FOR EACH ROW EXECUTE FUNCTION ops.refuse_change();
CREATE TRIGGER report_kept BEFORE DELETE ON monitor.report FOR EACH ROW EXECUTE FUNCTION monitor.refuse_young();
CREATE TRIGGER report_kept_all BEFORE TRUNCATE ON monitor.report FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_change();
COMMENT ON TABLE monitor.report IS 'Which reports of a window have come: a set, so that a repetition changes nothing';

-- Whether a window was decided as its reports say.
CREATE FUNCTION monitor.agrees(w monitor.report_window) RETURNS boolean
LANGUAGE sql
AS $$
  SELECT CASE w.state WHEN 'RESOLVED_LATE' THEN count(*) >= coalesce(w.last_seq, w.expected)
                      ELSE count(*) FILTER (WHERE NOT late) = w.received END
  FROM monitor.report r WHERE r.window_uuid = w.window_uuid AND r.seq <= coalesce(w.last_seq, w.expected);
$$;

CREATE FUNCTION monitor.keep_report() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM monitor.report_window w
                 WHERE w.window_uuid = NEW.window_uuid AND NEW.seq <= w.expected AND NEW.late = (w.decided_at IS NOT NULL)) THEN
    RAISE EXCEPTION 'report % is none of window %, or not late as it says', NEW.seq, NEW.window_uuid
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NULL;
END
$$;
-- After the statement, which may make the window too.
CREATE TRIGGER report_of_window AFTER INSERT ON monitor.report FOR EACH ROW EXECUTE FUNCTION monitor.keep_report();

CREATE TABLE monitor.conflict (
  window_uuid uuid        NOT NULL REFERENCES monitor.report_window,
  digest      bytea       NOT NULL CHECK (length(digest) = 32),
  report      jsonb       NOT NULL,
  created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (window_uuid, digest)
);
CREATE INDEX conflict_age_idx ON monitor.conflict (created_at);
CREATE TRIGGER conflict_kept BEFORE DELETE ON monitor.conflict FOR EACH ROW EXECUTE FUNCTION monitor.refuse_young();
CREATE TRIGGER conflict_final BEFORE UPDATE ON monitor.conflict FOR EACH ROW EXECUTE FUNCTION ops.refuse_change();
COMMENT ON TABLE monitor.conflict IS 'Reports whose schedule is another one than their window''s: kept, and counted nowhere';

CREATE TABLE monitor.flip (
  window_uuid uuid        NOT NULL REFERENCES monitor.report_window,
  state       text        NOT NULL CHECK (state IN ('UNKNOWN', 'CLOSED', 'ALERT', 'RESOLVED_LATE')),
  created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (window_uuid, state) -- so each is told once
);
CREATE INDEX flip_age_idx ON monitor.flip (created_at);
CREATE TRIGGER flip_final BEFORE UPDATE ON monitor.flip FOR EACH ROW EXECUTE FUNCTION ops.refuse_change();
CREATE TRIGGER flip_kept BEFORE DELETE ON monitor.flip FOR EACH ROW EXECUTE FUNCTION monitor.refuse_young();
COMMENT ON TABLE monitor.flip IS 'Into which states a window came, and when';

-- Who takes reports from the queue, and has which in hand.
CREATE TABLE monitor.holder (
  holder       text        PRIMARY KEY CHECK (length(holder) BETWEEN 1 AND 100),
  said_at      timestamptz NOT NULL, -- when we heard it
  renewed_at   timestamptz NOT NULL, -- what it holds it looked at after this time, by our clock
  lease_ms     integer     NOT NULL CHECK (lease_ms >= 0), -- 0: it has ended
  leased_until timestamptz NOT NULL, -- later the broker has given what it held to others, unless nobody was heard meanwhile
  gave_back_at timestamptz NOT NULL DEFAULT '-infinity',
  held_windows uuid[]      NOT NULL,
  held_seqs    integer[]   NOT NULL,
  CHECK (cardinality(held_windows) = cardinality(held_seqs))
);
COMMENT ON TABLE monitor.holder IS 'Each process of monitor-queue, and the reports that it holds';

-- That no holder is heard says nothing of any of them: we were away, or the way to us was.
CREATE TABLE monitor.hearing (
  only_row boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
  since    timestamptz NOT NULL, -- from then on never five seconds without any holder
  last_at  timestamptz NOT NULL
);
INSERT INTO monitor.hearing (since, last_at) VALUES ('-infinity', '-infinity');
COMMENT ON TABLE monitor.hearing IS 'Since when holders are heard without a gap';

CREATE VIEW monitor.lease AS
SELECT h.holder, h.renewed_at, h.gave_back_at, h.held_windows, h.held_seqs,
       CASE WHEN h.lease_ms = 0 THEN h.leased_until
            ELSE greatest(h.leased_until, g.since + h.lease_ms * interval '1 millisecond') END AS ends_at
FROM monitor.holder h CROSS JOIN monitor.hearing g;
COMMENT ON VIEW monitor.lease IS 'Holders, and until when they may hold what they said; a lease begins anew after a time in which nobody was heard';

CREATE TABLE monitor.marker (
  marker_id uuid        PRIMARY KEY,
  sent_at   timestamptz NOT NULL DEFAULT clock_timestamp(), -- before it was
  back_at   timestamptz
);
CREATE INDEX marker_sent_idx ON monitor.marker (sent_at);
CREATE TRIGGER marker_final BEFORE UPDATE ON monitor.marker FOR EACH ROW
  WHEN (NEW.sent_at <> OLD.sent_at OR NEW.back_at IS DISTINCT FROM coalesce(OLD.back_at, NEW.back_at))
  EXECUTE FUNCTION ops.refuse_change();
COMMENT ON TABLE monitor.marker IS 'Messages that the sweep sends through the queue of reports';

SELECT ops.add_service_tables('monitor');
SELECT ops.add_webhook_tables('monitor');

-- What was in the queue of reports before this time is entered, is among the dead letters, or is held by a holder whose row says so:
-- a marker was sent then and is back, and every holder has looked since at what it holds, or was gone before the marker was sent.
-- None: holders are not heard just now.
CREATE FUNCTION monitor.passed() RETURNS timestamptz
LANGUAGE sql STABLE
AS $$
  SELECT m.sent_at
  FROM monitor.marker m
  WHERE m.back_at IS NOT NULL
    AND m.sent_at > now() - interval '1 hour'
    AND (SELECT last_at FROM monitor.hearing) > statement_timestamp() - interval '5 seconds'
    AND NOT EXISTS (
      SELECT FROM monitor.lease h
      WHERE h.gave_back_at >= m.sent_at OR (h.renewed_at < m.back_at AND h.ends_at > m.sent_at))
  ORDER BY m.sent_at DESC
  LIMIT 1;
$$;
COMMENT ON FUNCTION monitor.passed IS 'Until when all that was in the queue of reports is accounted for';

CREATE VIEW monitor.window_count AS
SELECT w.*, coalesce(w.last_seq, w.expected) AS due,
       coalesce(w.received, c.received) AS received_reports,
       CASE WHEN w.created_at > now() - interval '28 days' THEN c.late END AS late_reports, -- reports are kept for 30
       coalesce(w.errors, c.errors) AS error_reports,
       (SELECT count(*)::integer FROM monitor.conflict x WHERE x.window_uuid = w.window_uuid) AS conflicts
FROM monitor.report_window w
CROSS JOIN LATERAL (
  SELECT count(*) FILTER (WHERE NOT late)::integer AS received, count(*) FILTER (WHERE late)::integer AS late,
         count(*) FILTER (WHERE NOT late AND NOT ok)::integer AS errors
  FROM monitor.report r WHERE r.window_uuid = w.window_uuid AND r.seq <= coalesce(w.last_seq, w.expected)) c;
COMMENT ON VIEW monitor.window_count IS 'Windows with how many reports came in time, late, and told of an error';

-- What is not as it must be, a row a difference; no rows is the proof.
CREATE VIEW monitor.audit_difference AS
SELECT 'window ' || window_uuid AS what,
       CASE WHEN state = 'RESOLVED_LATE' THEN 'all of ' || due || ' reports' ELSE received || ' reports in time' END AS expected,
       in_time || ' in time, ' || late || ' late, ' || state AS found
FROM (SELECT w.*, coalesce(w.last_seq, w.expected) AS due, c.*
      FROM monitor.report_window w
      CROSS JOIN LATERAL (SELECT count(*) FILTER (WHERE NOT late) AS in_time, count(*) FILTER (WHERE late) AS late
                          FROM monitor.report r
                          WHERE r.window_uuid = w.window_uuid AND r.seq <= coalesce(w.last_seq, w.expected)) c
      WHERE w.decided_at > now() - interval '28 days') w
WHERE in_time <> received
   OR (state = 'RESOLVED_LATE' AND in_time + late < due)
   OR (state = 'ALERT' AND in_time + late >= due)
UNION ALL
SELECT 'window ' || window_uuid, 'decided by ' || (deadline + interval '600 seconds' + ops.audit_grace()), state
FROM monitor.report_window
WHERE state = 'OPEN' AND deadline + interval '600 seconds' + ops.audit_grace() <= now(); -- MONITOR_UNKNOWN_AFTER_S is no longer
COMMENT ON VIEW monitor.audit_difference IS 'Each window that does not say what its reports do';

-- Of 28 days, since reports are kept for 30.
CREATE VIEW monitor.audit_window AS
SELECT window_uuid, service, expected, coalesce(last_seq, expected) AS due, state, received, created_at
FROM monitor.report_window WHERE created_at > now() - interval '28 days';
CREATE VIEW monitor.audit_report AS
SELECT r.window_uuid, r.seq, r.late FROM monitor.report r JOIN monitor.audit_window USING (window_uuid);
CREATE VIEW monitor.audit_held AS
SELECT DISTINCT u.window_uuid, u.seq
FROM monitor.lease, unnest(held_windows, held_seqs) AS u (window_uuid, seq)
WHERE ends_at > clock_timestamp();

CREATE VIEW monitor.state AS
SELECT count(*) FILTER (WHERE state = 'OPEN' AND deadline > clock_timestamp()) AS open_windows,
       count(*) FILTER (WHERE state = 'OPEN' AND deadline <= clock_timestamp()) AS pending_windows,
       count(*) FILTER (WHERE state = 'UNKNOWN') AS unknown_windows,
       greatest(coalesce(extract(epoch FROM clock_timestamp() - min(deadline)), 0), 0)::double precision AS oldest_due_age_seconds,
       (SELECT count(*) FROM monitor.flip WHERE state = 'ALERT' AND created_at > now() - interval '1 hour') AS alerts_last_hour,
       (SELECT count(*) FROM monitor.flip WHERE state = 'RESOLVED_LATE' AND created_at > now() - interval '1 hour')
         AS resolved_late_last_hour,
       (SELECT count(*) FROM monitor.conflict WHERE created_at > now() - interval '1 hour') AS conflicts_last_hour
FROM monitor.report_window WHERE state IN ('OPEN', 'UNKNOWN');
COMMENT ON VIEW monitor.state IS 'How it stands with what is not decided, and what was lately';

-- Against flapping: of each service's latest five windows that are decided, how many lacked reports. Services of the last hour, 100 at most.
CREATE VIEW monitor.service_state AS
SELECT service, latest.alerts
FROM (SELECT service FROM monitor.report_window WHERE created_at > now() - interval '1 hour' GROUP BY service ORDER BY service LIMIT 100) s
CROSS JOIN LATERAL (
  SELECT count(*) FILTER (WHERE state IN ('ALERT', 'RESOLVED_LATE')) AS alerts
  FROM (SELECT state FROM monitor.report_window w
        WHERE w.service = s.service AND decided_at IS NOT NULL ORDER BY id DESC LIMIT 5) five) latest;
COMMENT ON VIEW monitor.service_state IS 'How many of a service''s latest five windows lacked reports when they were decided';

-- The contract's names.
CREATE VIEW public.monitoring_windows AS
SELECT id, window_uuid, service AS service_name, state AS status, due AS expected_reports, received_reports, error_reports,
       greatest(due - received_reports, 0) AS missing_reports, window_from, window_to, closed_at, created_at
FROM monitor.window_count;
COMMENT ON VIEW public.monitoring_windows IS 'Windows as monitor knows them; missing counts what came late, too';
CREATE VIEW public.heartbeat_events AS
SELECT r.id, w.id AS window_id, w.service AS service_name, CASE WHEN r.ok THEN 'ok' ELSE 'error' END AS status,
       r.reported_at AS report_timestamp, r.error_message, r.created_at
FROM monitor.report r JOIN monitor.report_window w USING (window_uuid);
COMMENT ON VIEW public.heartbeat_events IS 'Reports that came, each once';

GRANT SELECT ON monitor.report_window, monitor.report, monitor.conflict, monitor.flip, monitor.holder, monitor.hearing,
  monitor.lease, monitor.marker, monitor.window_count, monitor.transition TO payments_monitor;
GRANT INSERT, DELETE ON monitor.report_window, monitor.report, monitor.conflict, monitor.flip, monitor.holder, monitor.marker
  TO payments_monitor;
GRANT UPDATE (deadline, last_seq, state, received, errors, closed_at, decided_at) ON monitor.report_window TO payments_monitor;
-- FOR UPDATE SKIP LOCKED of a purge; the triggers refuse any change.
GRANT UPDATE (created_at) ON monitor.report, monitor.conflict, monitor.flip TO payments_monitor;
GRANT UPDATE (since, last_at) ON monitor.hearing TO payments_monitor;
GRANT UPDATE ON monitor.holder, monitor.marker TO payments_monitor;
GRANT SELECT ON monitor.audit_difference, monitor.audit_window, monitor.audit_report, monitor.audit_held TO payments_loader;
GRANT SELECT ON monitor.audit_difference, monitor.state, monitor.service_state TO payments_exporter;
GRANT SELECT ON public.monitoring_windows, public.heartbeat_events TO payments_reader, payments_exporter, payments_monitor, payments_loader;
