-- Windows of reporters beside what the monitor knows of them, of 28 days.
-- $1 a window's window_uuid, or null for all
-- Result: a row a window; counts, and the ticks that do not fit, in arrays of their numbers

WITH tick AS (
  -- Ticks are audited in their order: one that lacks before the latest is gone.
  SELECT w.window_uuid, s.seq, t.outcome, w.audited OR s.seq < coalesce(max(t.seq) OVER (PARTITION BY w.window_uuid), 0) AS audited, r.late,
         h.seq IS NOT NULL AS held
  FROM reporter.audit_window w
  CROSS JOIN generate_series(1, w.expected) AS s (seq)
  LEFT JOIN reporter.audit_tick t ON (t.window_uuid, t.seq) = (w.window_uuid, s.seq)
  LEFT JOIN monitor.audit_report r ON (r.window_uuid, r.seq) = (w.window_uuid, s.seq)
  LEFT JOIN monitor.audit_held h ON (h.window_uuid, h.seq) = (w.window_uuid, s.seq)
  WHERE $1::uuid IS NULL OR w.window_uuid = $1
), said AS (
  -- A report that came was sent, whether its reporter lived to mark that or not.
  SELECT *, CASE WHEN outcome = 'sending' THEN CASE WHEN late IS NULL THEN 'unknown' ELSE 'sent' END
                 WHEN outcome IS NULL AND NOT audited THEN 'unknown'
                 ELSE outcome END AS fate
  FROM tick
), counted AS (
  SELECT window_uuid,
         count(*) FILTER (WHERE fate = 'sent')::integer AS sent,
         count(*) FILTER (WHERE fate = 'omitted')::integer AS omitted,
         count(*) FILTER (WHERE fate = 'stalled')::integer AS stalled,
         count(*) FILTER (WHERE fate = 'unknown')::integer AS unknown,
         count(*) FILTER (WHERE late = false)::integer AS received,
         count(*) FILTER (WHERE late)::integer AS late,
         count(*) FILTER (WHERE fate = 'sent' AND late IS NULL AND held)::integer AS held,
         coalesce(array_agg(seq ORDER BY seq) FILTER (WHERE fate IS NULL), '{}') AS unaudited,
         coalesce(array_agg(seq ORDER BY seq) FILTER (WHERE late IS NOT NULL AND fate IS DISTINCT FROM 'sent'), '{}') AS unsent,
         coalesce(array_agg(seq ORDER BY seq) FILTER (WHERE fate = 'sent' AND late IS NULL AND NOT held), '{}') AS unaccounted
  FROM said
  GROUP BY window_uuid
)
SELECT w.window_uuid AS "windowUuid", w.service, w.expected, m.state, m.received AS decided,
       coalesce(m.state IN ('CLOSED', 'ALERT', 'RESOLVED_LATE'), false) AS "isDecided",
       clock_timestamp() > w.opened_at + w.duration_ms * interval '1 millisecond' + ops.audit_grace() AS "isOver",
       clock_timestamp() > w.opened_at + w.duration_ms * interval '1 millisecond' + interval '1 hour' + ops.audit_grace() AS "isLongOver",
       d.outcome AS declaration, EXISTS (SELECT FROM monitor.audit_held h WHERE h.window_uuid = w.window_uuid) AS "isHeld",
       c.sent, c.omitted, c.stalled, c.unknown, c.received, c.late, c.held, c.unaudited, c.unsent, c.unaccounted
FROM reporter.audit_window w
JOIN counted c USING (window_uuid)
LEFT JOIN monitor.audit_window m USING (window_uuid)
LEFT JOIN reporter.audit_tick d ON d.window_uuid = w.window_uuid AND d.seq = 0
ORDER BY w.opened_at, w.window_uuid
