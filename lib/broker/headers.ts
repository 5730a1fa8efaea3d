import type { MessageHeaders } from "./delivery.js";

/** The headers we add. Our own, because the broker's `x-death` counts differently in each of its versions. */
export const HEADER = {
  /** On messages in the ladder: number of the attempt to come. */
  attempt: "x-attempt",
  /** On dead letters: attempts made. */
  attempts: "x-attempts",
  errorCode: "x-error-code",
  reason: "x-reason",
  firstFailedAt: "x-first-failed-at",
  lastFailedAt: "x-last-failed-at",
  worker: "x-worker",
} as const;

const OWN: ReadonlySet<string> = new Set(Object.values(HEADER));
/** Written by the broker on its way; sent back to it they would be doubled (3.10) or ignored (4.x). */
const BROKERS = /^x-(death$|first-death-|last-death-|delivery-count$|acquired-count$|opt-)|^(CC|BCC)$/;

/** Longest reason kept: a person reads it in a list. */
const MAX_REASON_CHARS = 1_000;
/** amqplib encodes headers in a buffer of 64 KiB, and the broker takes them in one frame only. */
const MAX_FOREIGN_BYTES = 16_384;

/** A message's attempt, 1 when the header is missing or not to be believed. */
export function attemptOf(headers: MessageHeaders): number {
  const value = headers[HEADER.attempt];
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 1 ? value : 1;
}

/** How often the broker has delivered it before. */
export function deliveryCountOf(headers: MessageHeaders): number {
  const value = headers["x-delivery-count"];
  return typeof value === "number" && value > 0 ? value : 0;
}

/** When the message first failed, as far as a former attempt has written that down. */
export function firstFailureOf(headers: MessageHeaders): string | undefined {
  const value = headers[HEADER.firstFailedAt];
  return typeof value === "string" && value.length <= 40 && !Number.isNaN(Date.parse(value))
    ? value
    : undefined;
}

/** The headers its producer gave it, without ours and the broker's; without any when they are too large to send again. */
export function producersHeaders(headers: MessageHeaders): Record<string, unknown> {
  const foreign = Object.entries(headers).filter(([name]) => !OWN.has(name) && !BROKERS.test(name));
  const kept = Object.fromEntries(foreign);
  return Buffer.byteLength(JSON.stringify(kept)) > MAX_FOREIGN_BYTES ? {} : kept;
}

/** A reason fit for a header and a terminal: one line, no control characters, not too long. */
export function tidyReason(reason: string): string {
  const line = reason
    .slice(0, MAX_REASON_CHARS * 4)
    .replaceAll(/[\s\p{Cc}]+/gu, " ")
    .trim();
  const chars = [...line];
  return chars.length > MAX_REASON_CHARS ? `${chars.slice(0, MAX_REASON_CHARS - 1).join("")}…` : line;
}
