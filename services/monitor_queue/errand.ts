import type { Delivery } from "../../lib/broker/delivery.js";
import { codeOf, messageOf } from "../../lib/errors.js";
import { readEvent } from "../../lib/messaging/read_event.js";
import { traceparentOf } from "../../lib/observability/trace.js";
import { monitorMarker, monitorReport, type Report } from "../contracts/report.js";

/** What is to be done about a delivery. A marker without an id is one that nobody sent. */
export type Errand =
  | { readonly kind: "report"; readonly report: Report; readonly traceparent: string }
  | { readonly kind: "marker"; readonly markerId: string | undefined }
  | { readonly kind: "malformed"; readonly code: string; readonly reason: string };

/** Never throws. */
export function errandOf({ body, type, messageId, headers }: Delivery): Errand {
  const raw = { body, type, messageId, headers };
  try {
    if (type === monitorMarker.name) {
      return { kind: "marker", markerId: readEvent(monitorMarker, raw).body.marker_id };
    }
    const { body: report, traceId } = readEvent(monitorReport, raw);
    return { kind: "report", report, traceparent: traceparentOf(traceId) };
  } catch (error) {
    return type === monitorMarker.name
      ? { kind: "marker", markerId: undefined }
      : { kind: "malformed", code: codeOf(error) ?? "INTERNAL", reason: messageOf(error) };
  }
}
