/** What follows a CTE `changed` of windows with a column `tells`: each change of state once, and the webhook that tells of it. */
export const FLIPS = `
  flipped AS (
    INSERT INTO monitor.flip (window_uuid, state) SELECT window_uuid, state FROM changed ON CONFLICT DO NOTHING RETURNING window_uuid
  ), told AS (
    INSERT INTO monitor.webhook (type, data)
    SELECT 'monitor.window.' || lower(state),
           jsonb_build_object('window_uuid', window_uuid, 'service', service, 'state', state,
                              'expected_reports', coalesce(last_seq, expected), 'received_reports', received, 'closed_at', closed_at)
    FROM changed JOIN flipped USING (window_uuid) WHERE tells AND state <> 'CLOSED'
  )
  SELECT window_uuid FROM changed`;
