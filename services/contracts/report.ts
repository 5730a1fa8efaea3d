import { z } from "zod";
import type { OutgoingMessage } from "../../lib/broker/confirms.js";
import { utcTime } from "../../lib/domain/fields.js";
import { derivedId, hexOf } from "../../lib/domain/ids.js";
import { type EventContract, eventMessage } from "../../lib/messaging/event.js";

/** Where reports wait for monitor-queue. It is addressed by its name, not by the exchange. */
export const REPORTS_QUEUE = "reports";

/** A day of reports a second is more than anybody watches by windows. */
export const MOST_REPORTS = 86_400;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** A name as a table, a label and a list bear it. */
export const serviceName = z.string().regex(/^[a-z0-9][a-z0-9_.:-]{0,62}$/i);

/** Its example is no reporter's. */
export const windowUuid = z
  .uuid()
  .toLowerCase()
  .meta({ examples: ["00000000-0000-7000-8000-000000000001"] });

/**
 * What a window's owner tells of it: that it was opened (seq 0), and each tick (1 to expected_reports). Each report bears the
 * whole schedule, so that any of them makes the window known.
 */
export const reportShape = {
  window_uuid: windowUuid,
  service: serviceName.meta({ examples: ["shop"] }),
  seq: z
    .int()
    .min(0)
    .max(MOST_REPORTS)
    .meta({ description: "0: the window was opened; no report.", examples: [1] }),
  status: z.enum(["ok", "error"]),
  error_message: z
    .string()
    .max(500)
    .regex(/^(?:[\t\n\r]|[^\p{Cc}\p{Cs}])*$/u, "has control characters, or is no Unicode")
    .optional(),
  /** By the sender's clock, as all times here: said, never decided by. */
  report_timestamp: utcTime.meta({ examples: ["2026-05-01T12:00:10Z"] }),
  window_from: utcTime.meta({ examples: ["2026-05-01T12:00:00Z"] }),
  window_to: utcTime.meta({ examples: ["2026-05-01T12:00:10Z"] }),
  interval_ms: z
    .int()
    .min(10)
    .max(HOUR_MS)
    .meta({ examples: [10_000] }),
  expected_reports: z
    .int()
    .min(1)
    .max(MOST_REPORTS)
    .meta({ examples: [1] }),
  remaining_ms: z
    .int()
    .min(0)
    .max(DAY_MS)
    .meta({ description: "Until the window ends, by a clock that nobody sets.", examples: [0] }),
  last: z
    .boolean()
    .optional()
    .meta({ description: "Its sender ends: no report is to be expected after it." }),
};

/** What the fields say together. For `superRefine`. */
export function agree(
  { seq, expected_reports, interval_ms }: Record<"seq" | "expected_reports" | "interval_ms", number>,
  context: z.core.$RefinementCtx,
): void {
  if (seq > expected_reports) {
    context.addIssue({ code: "custom", path: ["seq"], message: "is none of the window's" });
  }
  if (expected_reports * interval_ms > DAY_MS) {
    context.addIssue({ code: "custom", path: ["expected_reports"], message: "take longer than a day" });
  }
}

const schema = z.object(reportShape).superRefine(agree);

export type Report = z.output<typeof schema>;

/** reporters → monitor-queue → monitor. */
export const monitorReport: EventContract<Report> = {
  name: "monitor.report",
  version: 1,
  schema,
  key: ({ window_uuid }) => window_uuid,
};

const markerSchema = z.object({ marker_id: z.uuid() });

/** monitor → monitor-queue → monitor: what was in the queue before it has been taken once it is back. */
export const monitorMarker: EventContract<z.output<typeof markerSchema>> = {
  name: "monitor.marker",
  version: 1,
  schema: markerSchema,
  key: ({ marker_id }) => marker_id,
};

/** One id for a report, however often it is sent. */
export const reportId = ({ window_uuid, seq }: Pick<Report, "window_uuid" | "seq">): string =>
  derivedId(`${window_uuid} ${seq}`, monitorReport.name);

const toReports = (message: OutgoingMessage): OutgoingMessage => ({ ...message, to: REPORTS_QUEUE });

/** A window is one trace, its own id: what became of its reports is found by it. */
export const reportMessage = (report: Report): OutgoingMessage =>
  toReports(
    eventMessage(monitorReport, report, { messageId: reportId(report), traceId: hexOf(report.window_uuid) }),
  );

export const markerMessage = (markerId: string): OutgoingMessage =>
  toReports(eventMessage(monitorMarker, { marker_id: markerId }, { messageId: markerId }));
