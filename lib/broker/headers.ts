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
  /** On dead letters: the work queue whose consumer failed. */
  queue: "x-queue",
  /** On messages handed back unfinished, which to the broker are new ones: how often, and how often it had got them back before. */
  handedBack: "x-handed-back",
  returns: "x-returns",
  /** On a copy that stands for a message whose handler is still at work: which handler. */
  heldBy: "x-held-by",
} as const;

/** Names what was too large to be kept. */
const CUT_HEADER = "x-headers-cut";

const OWN: ReadonlySet<string> = new Set(Object.values(HEADER));
/** Written by the broker on its way; sent back to it they would be doubled (3.10) or ignored (4.x). */
const BROKERS = /^x-(death$|first-death-|last-death-|delivery-count$|acquired-count$|opt-)|^(CC|BCC)$/;

/** Longest reason kept: a person reads it in a list. */
const MAX_REASON_CHARS = 1_000;
/** amqplib encodes headers in a buffer of 64 KiB, ours among them, and the broker takes them in one frame only. */
const MAX_FOREIGN_BYTES = 56 * 1_024;
const MAX_CUT_CHARS = 500;

/** A message's attempt, 1 when the header is missing or not to be believed. */
export function attemptOf(headers: MessageHeaders): number {
  return countOf(headers[HEADER.attempt]) || 1;
}

/** How often the broker has got it back without an outcome, also before it was handed back. */
export function deliveryCountOf(headers: MessageHeaders): number {
  return countOf(headers["x-delivery-count"]) + countOf(headers[HEADER.returns]);
}

/** Whether somebody has had it in hand and handed it back. */
export function wasHandedBack(headers: MessageHeaders): boolean {
  return countOf(headers[HEADER.handedBack]) > 0;
}

/** The handler that it was with when this copy of it was made. */
export function holderOf(headers: MessageHeaders): string | undefined {
  const value = headers[HEADER.heldBy];
  return typeof value === "string" ? value : undefined;
}

/**
 * Headers for a message that goes back unfinished, as a new one: neither an attempt nor a delivery counts. What the broker had
 * counted stays written on it, so that one under suspicion remains so.
 */
export function handedBackHeaders(headers: MessageHeaders, holder?: string): Record<string, unknown> {
  const ours = Object.entries(headers).filter(([name]) => OWN.has(name) && name !== HEADER.heldBy);
  return {
    ...producersHeaders(headers),
    ...Object.fromEntries(ours),
    [HEADER.handedBack]: countOf(headers[HEADER.handedBack]) + 1,
    [HEADER.returns]: deliveryCountOf(headers),
    ...(holder === undefined ? {} : { [HEADER.heldBy]: holder }),
  };
}

function countOf(value: unknown): number {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? value : 0;
}

/** When the message first failed, as far as a former attempt has written that down. */
export function firstFailureOf(headers: MessageHeaders): string | undefined {
  const value = headers[HEADER.firstFailedAt];
  return typeof value === "string" && value.length <= 40 && !Number.isNaN(Date.parse(value))
    ? value
    : undefined;
}

/**
 * The headers its producer gave it, without ours and the broker's. Where they are too large to be sent again the largest are left
 * out, and a header says which.
 */
export function producersHeaders(headers: MessageHeaders): Record<string, unknown> {
  const foreign = Object.entries(headers)
    .filter(([name]) => !OWN.has(name) && !BROKERS.test(name))
    .map(([name, value]) => ({ name, value, bytes: entryBytes(name, value) }));
  let room = MAX_FOREIGN_BYTES;
  const cut = new Set<unknown>();
  for (const header of foreign.toSorted((a, b) => a.bytes - b.bytes)) {
    room -= header.bytes;
    if (room < 0) {
      cut.add(header);
    }
  }
  const kept = foreign.filter((header) => !cut.has(header)).map(({ name, value }) => [name, value]);
  if (cut.size > 0) {
    const named = foreign
      .filter((header) => cut.has(header))
      .map(({ name, bytes }) => `${name} (${bytes} bytes)`);
    kept.push([CUT_HEADER, tidyReason(`too large to be kept: ${named.join(", ")}`, MAX_CUT_CHARS)]);
  }
  return Object.fromEntries(kept);
}

/** A reason fit for a header and a terminal: one line, no control characters, not too long. */
export function tidyReason(reason: string, maxChars: number = MAX_REASON_CHARS): string {
  const line = reason
    .slice(0, maxChars * 4)
    .replaceAll(/[\s\p{Cc}]+/gu, " ")
    .trim();
  const chars = [...line];
  return chars.length > maxChars ? `${chars.slice(0, maxChars - 1).join("")}…` : line;
}

/** Bytes that a value takes in an AMQP table, tag included; of a number the most that one may take. */
function encodedBytes(value: unknown): number {
  if (typeof value === "string") {
    return 5 + Buffer.byteLength(value);
  }
  if (Buffer.isBuffer(value)) {
    return 5 + value.length;
  }
  if (Array.isArray(value)) {
    return value.reduce((sum: number, each) => sum + encodedBytes(each), 5);
  }
  if (typeof value === "object" && value !== null) {
    return Object.entries(value).reduce((sum, [name, each]) => sum + entryBytes(name, each), 5);
  }
  return 9;
}

/** The same for an entry with its name. */
export function entryBytes(name: string, value: unknown): number {
  return 1 + Buffer.byteLength(name) + encodedBytes(value);
}
