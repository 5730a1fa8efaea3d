import type { MessageHeaders, Outcome } from "./delivery.js";
import {
  attemptOf,
  firstFailureOf,
  HEADER,
  handedBackHeaders,
  producersHeaders,
  tidyReason,
} from "./headers.js";
import { maxAttempts, type QueueFamily } from "./topology.js";

/** What becomes of a message. A forwarded one is acked only after its copy is confirmed. */
export type Settlement =
  | { readonly kind: "ack" }
  | { readonly kind: "forward"; readonly queue: string; readonly headers: Record<string, unknown> };

export interface Circumstances {
  readonly family: QueueFamily;
  readonly now: Date;
  readonly worker: string;
}

/** The rules of the ladder, without a broker: outcome and headers in, destination and headers out. */
export function settlementOf(
  outcome: Outcome,
  headers: MessageHeaders,
  circumstances: Circumstances,
): Settlement {
  if (outcome.kind === "done") {
    return { kind: "ack" };
  }
  const { family, worker } = circumstances;
  if (outcome.kind === "release") {
    return { kind: "forward", queue: handBackQueue(family), headers: handedBackHeaders(headers) };
  }
  const attempt = attemptOf(headers);
  const now = circumstances.now.toISOString();
  const failed = {
    ...producersHeaders(headers),
    [HEADER.errorCode]: outcome.code,
    [HEADER.reason]: tidyReason(outcome.reason),
    [HEADER.firstFailedAt]: firstFailureOf(headers) ?? now,
    [HEADER.lastFailedAt]: now,
    [HEADER.worker]: worker,
  };
  const rung = outcome.kind === "retry" ? family.ladder[attempt - 1] : undefined;
  if (rung) {
    return { kind: "forward", queue: rung.queue, headers: { ...failed, [HEADER.attempt]: attempt + 1 } };
  }
  const dead = { ...failed, [HEADER.attempts]: attempt };
  if (outcome.kind === "retry") {
    dead[HEADER.errorCode] = "ATTEMPTS_EXHAUSTED";
    dead[HEADER.reason] = tidyReason(
      `${maxAttempts(family)} attempts, last ${outcome.code}: ${outcome.reason}`,
    );
  }
  return { kind: "forward", queue: family.deadLetter, headers: dead };
}

/**
 * Where a message goes that comes back without an attempt. To the work queue it would come at once, and that one may be full; the
 * shortest rung takes it all the same.
 */
export function handBackQueue(family: QueueFamily): string {
  return family.ladder[0]?.queue ?? family.work;
}
