import type { Delivery, Outcome } from "../../lib/broker/delivery.js";
import type { Slots } from "../../lib/broker/slots.js";
import type { Logger } from "../../lib/observability/log.js";
import type { Instruments } from "../../lib/observability/registry.js";
import { pause } from "../../lib/timing.js";
import type { Attempt, MonitorClient } from "./client.js";
import { Patience, type Waits } from "./domain/tries.js";
import type { Holds } from "./holds.js";
import type { Lifeline } from "./lifeline.js";
import type { monitorQueueMetrics } from "./metrics.js";

export interface BringOptions {
  readonly client: MonitorClient;
  readonly holds: Holds;
  readonly lifeline: Lifeline;
  readonly slots: Slots;
  readonly tries: number;
  readonly waits: Waits;
  readonly metrics: Instruments<typeof monitorQueueMetrics>;
  readonly logger: Logger;
  readonly stopping: AbortSignal;
}

/** Brings the monitor what is in a delivery; done only once that has taken it. */
export async function bring(options: BringOptions, delivery: Delivery): Promise<Outcome> {
  const { client, holds, slots, logger } = options;
  const errand = holds.errandOf(delivery);
  if (errand.kind === "malformed") {
    const { code, reason } = errand;
    logger.error({ code, messageId: delivery.messageId }, reason);
    return { kind: "reject", code, reason };
  }
  if (errand.kind === "marker") {
    return errand.markerId === undefined ? { kind: "done" } : bringMarker(options, delivery, errand.markerId);
  }
  const { report, traceparent } = errand;
  return tryOn(options, delivery, () =>
    slots.run(() => client.send("POST", "/api/monitor/heartbeats", report, traceparent)),
  );
}

/** One that the monitor does not want is worth nothing. That it is back asks everybody what they hold; who brings it says so at once. */
async function bringMarker(options: BringOptions, delivery: Delivery, markerId: string): Promise<Outcome> {
  const { client, lifeline } = options;
  const outcome = await tryOn(options, delivery, async () => {
    const attempt = await client.send("POST", `/api/monitor/markers/${markerId}`, {});
    lifeline.noteTime(attempt);
    return attempt;
  });
  lifeline.renewNow();
  return outcome.kind === "reject" ? { kind: "done" } : outcome;
}

/** A try that fails counts only if the monitor answers others; while it is away everything waits. */
async function tryOn(
  { lifeline, tries, waits, metrics, stopping, logger }: BringOptions,
  { lost, overdue, messageId }: Delivery,
  send: () => Promise<Attempt>,
): Promise<Outcome> {
  const patience = new Patience(waits);
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
      await pause(patience.nextMs(made, retryAfterS), halt);
    } else {
      metrics.tries.inc({ result: "waited" });
      await lifeline.untilAnswers(beganMs, halt);
    }
    if (halt.aborted) {
      return { kind: "release" };
    }
  }
}
