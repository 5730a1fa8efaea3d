import { z } from "zod";
import { instant } from "../../../lib/http/page.js";
import { STATES } from "../domain/window.js";
import type { WindowRow } from "../store/window.js";

export const windowState = z.enum(STATES);
const count = z.int().nonnegative();

export const windowBody = z.object({
  window_uuid: z.uuid(),
  service_name: z.string(),
  status: windowState,
  expected_reports: count,
  received_reports: count.meta({
    description: "In time, each once; those that tell of an error are among them.",
  }),
  late_reports: count
    .nullable()
    .meta({ description: "Null after 28 days, when its reports are no longer kept." }),
  error_reports: count,
  missing_reports: count.meta({
    description: "expected_reports less received_reports; what came late is among them.",
  }),
  conflicts: count,
  interval_ms: count,
  window_from: instant,
  window_to: instant,
  deadline: instant,
  closed_at: instant.nullable(),
  created_at: instant,
});

export const bodyOf = (row: WindowRow): z.output<typeof windowBody> => ({
  window_uuid: row.windowUuid,
  service_name: row.service,
  status: row.state,
  expected_reports: row.expected,
  received_reports: row.received,
  late_reports: row.late,
  error_reports: row.errors,
  missing_reports: Math.max(0, row.expected - row.received),
  conflicts: row.conflicts,
  interval_ms: row.intervalMs,
  window_from: row.windowFrom,
  window_to: row.windowTo,
  deadline: row.deadline,
  closed_at: row.closedAt,
  created_at: row.createdAt,
});
