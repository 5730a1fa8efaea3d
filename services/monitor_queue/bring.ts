import type { Delivery, Outcome } from "../../lib/broker/delivery.js";
import type { Slots } from "../../lib/broker/slots.js";
import { codeOf, messageOf } from "../../lib/errors.js";
import { type RawEvent, readEvent } from "../../lib/messaging/read_event.js";
import type { Logger } from "../../lib/observability/log.js";
import type { Instruments } from "../../lib/observability/registry.js";
import { traceparentOf } from "../../lib/observability/trace.js";
import { pause } from "../../lib/timing.js";
import { monitorMarker, monitorReport, type Report } from "../contracts/report.js";
import type { Attempt, MonitorClient } from "./client.js";
import { type Waits, waitMs } from "./domain/tries.js";
import type { Holds } from "./holds.js";
import type { Lifeline } from "./lifeline.js";
import type { monitorQueueMetrics } from "./metrics.js";

export interface BringOptions {
  readonly client: MonitorClient;
  readonly holds: Holds;
  readonly lifeline: Lifeline;
  readonly slots: Slots;
  readonly holder: string;
  readonly tries: number;
  readonly waits: Waits;
  readonly metrics: Instruments<typeof monitorQueueMetrics>;
  readonly logger: Logger;
  readonly stopping: AbortSignal;
}

/** Brings the monitor what is in a delivery; done only once that has taken it. */
export async function bring(options: BringOptions, delivery: Delivery): Promise<Outcome> {
  const { client, holds, slots, logger } = options;
  if (delivery.type === monitorMarker.name) {
    holds.add(delivery, undefined);
    return bringMarker(options, delivery);
  }
  let report: Report;
  let traceparent: string;
  try {
    const event = readEvent(monitorReport, rawOf(delivery));
    report = event.body;
    traceparent = traceparentOf(event.traceId);
  } catch (error) {
    const code = codeOf(error) ?? "INTERNAL";
    logger.error({ code, messageId: delivery.messageId }, messageOf(error));
    return { kind: "reject", code, reason: messageOf(error) };
  }
  holds.add(delivery, { windowUuid: report.window_uuid, seq: report.seq });
  return tryOn(options, delivery, () =>
    slots.run(() => client.send("POST", "/api/monitor/heartbeats", report, traceparent)),
  );
}

const rawOf = ({ body, type, messageId, headers }: Delivery): RawEvent => ({
  body,
  type,
  messageId,
  headers,
});

/** Behind all that came before it: what is held of that is said with it. One that the monitor does not want is worth nothing. */
async function bringMarker(options: BringOptions, delivery: Delivery): Promise<Outcome> {
  const { client, lifeline, holder } = options;
  let markerId: string;
  try {
    markerId = readEvent(monitorMarker, rawOf(delivery)).body.marker_id;
  } catch {
    return { kind: "done" };
  }
  const outcome = await tryOn(options, delivery, async () => {
    const { body, arrived } = lifeline.holding();
    const attempt = await client.send("POST", `/api/monitor/markers/${markerId}`, { holder, ...body });
    if (attempt.verdict === "accepted") {
      arrived();
    }
    return attempt;
  });
  return outcome.kind === "reject" ? { kind: "done" } : outcome;
}

/** A try that fails counts only if the monitor answers others; while it is away everything waits. */
async function tryOn(
  { lifeline, tries, waits, metrics, stopping, logger }: BringOptions,
  { lost, overdue, messageId }: Delivery,
  send: () => Promise<Attempt>,
): Promise<Outcome> {
  for (let made = 0; ; ) {
    const beganMs = performance.now();
    const { verdict, result, retryAfterS } = await send();
    if (verdict === "accepted") {
      lifeline.heard(beganMs);
      metrics.tries.inc({ result: "accepted" });
      return { kind: "done" };
    }
    if (verdict === "refused") {
      lifeline.heard(beganMs);
      metrics.tries.inc({ result: "refused" });
      logger.error({ messageId, result }, "the monitor refused a report");
      return {
        kind: "reject",
        code: "REPORT_REFUSED",
        reason: `the monitor answered ${result}.`,
        attempts: made + 1,
      };
    }
    const halt = AbortSignal.any([lost, overdue, stopping]);
    if (await lifeline.answersSince(beganMs, halt)) {
      made += 1;
      if (made >= tries) {
        metrics.tries.inc({ result: "given_up" });
        logger.error({ messageId, result, tries }, "a report was given up");
        return {
          kind: "reject",
          code: "REPORT_GIVEN_UP",
          reason: `${tries} tries, last ${result}.`,
          attempts: made,
        };
      }
      metrics.tries.inc({ result: "failed" });
      await pause(waitMs(made, retryAfterS, waits), halt);
    } else {
      metrics.tries.inc({ result: "waited" });
      await lifeline.untilAnswers(beganMs, halt);
    }
    if (halt.aborted) {
      return { kind: "release" };
    }
  }
}
