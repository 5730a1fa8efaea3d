import type { MessageHeaders, Outcome } from "./delivery.js";
import {
  attemptOf,
  firstFailureOf,
  HEADER,
  handedBackHeaders,
  producersHeaders,
  tidyReason,
} from "./headers.js";
import { type Destination, maxAttempts, type QueueFamily, rungOf } from "./topology.js";

/** What becomes of a message. A forwarded one is acked only after its copy is confirmed. */
export type Settlement =
  | { readonly kind: "ack" }
  | { readonly kind: "forward"; readonly to: Destination; readonly headers: Record<string, unknown> };

export interface Circumstances {
  readonly family: QueueFamily;
  readonly now: Date;
  readonly worker: string;
}

type Forward = Extract<Settlement, { kind: "forward" }>;

/** The rules of the ladder, without a broker: outcome and headers in, destination and headers out. */
export function settlementOf(
  outcome: Exclude<Outcome, { kind: "done" }>,
  headers: MessageHeaders,
  circumstances: Circumstances,
): Forward;
export function settlementOf(
  outcome: Outcome,
  headers: MessageHeaders,
  circumstances: Circumstances,
): Settlement;
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
    return { kind: "forward", to: handBackTo(family), headers: handedBackHeaders(headers) };
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
  const rung = outcome.kind === "retry" ? rungOf(family, attempt) : undefined;
  if (rung !== undefined) {
    return { kind: "forward", to: rung, headers: { ...failed, [HEADER.attempt]: attempt + 1 } };
  }
  const dead = { ...failed, [HEADER.attempts]: attemptsMade(outcome, headers), [HEADER.queue]: family.work };
  if (outcome.kind === "retry") {
    dead[HEADER.errorCode] = codeOnLetter(outcome);
    dead[HEADER.reason] = tidyReason(
      `${maxAttempts(family)} attempts, last ${outcome.code}: ${outcome.reason}`,
    );
  }
  return { kind: "forward", to: family.deadLetter, headers: dead };
}

/** The code that stands on a dead letter; of one that was tried as often as the ladder allows that it was, not its last failure. */
export function codeOnLetter({ kind, code }: Extract<Outcome, { kind: "retry" | "reject" }>): string {
  return kind === "retry" ? "ATTEMPTS_EXHAUSTED" : code;
}

/** How often a message that failed for good was tried. */
export function attemptsMade(
  outcome: Extract<Outcome, { kind: "retry" | "reject" }>,
  headers: MessageHeaders,
): number {
  return (outcome.kind === "reject" ? outcome.attempts : undefined) ?? attemptOf(headers);
}

/**
 * Where a message goes that comes back without an attempt. To the work queue it would come at once, and that one may be full; the
 * shortest rung takes it all the same.
 */
export function handBackTo(family: QueueFamily): Destination {
  return rungOf(family, 1) ?? family.work;
}
