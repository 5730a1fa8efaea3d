import { createHash } from "node:crypto";
import type { Message } from "amqplib";
import type { MessageHeaders } from "./delivery.js";
import { attemptOf, HEADER, producersHeaders, tidyReason } from "./headers.js";
import {
  expirationOf,
  headersOf,
  type KeptProperties,
  keptProperties,
  type MessageProperties,
  STAND_IN,
} from "./properties.js";

/** A message that failed for good, and what is known of its failure. */
export interface DeadLetter {
  /** The message's own id, or one made of its content. Copies of one letter share it. */
  readonly id: string;
  readonly code: string;
  readonly reason: string;
  readonly attempts: number;
  readonly firstFailedAt: string | undefined;
  readonly lastFailedAt: string | undefined;
  readonly worker: string | undefined;
  /** The work queue whose consumer failed, as far as the letter tells. */
  readonly queue: string | undefined;
  readonly properties: KeptProperties;
  readonly headers: MessageHeaders;
  readonly body: Buffer;
  /** Where it is in the hands of its channel. */
  readonly deliveryTag: number;
}

/** Codes of letters that no worker of ours has written one on. */
const BY_BROKER = { delivery_limit: "DELIVERY_LIMIT", unknown: "UNKNOWN" } as const;
const AFTER_ALL_TIME = Date.UTC(10_000, 0);
/** Fit for a command line and a column: no blanks, no control characters, not taken for an option. */
const PRINTABLE_ID = /^[\x21-\x2c\x2e-\x7e][\x21-\x7e]{0,63}$/;

/** Reads a message of a dead-letter queue, where anybody may have put anything. */
export function readDeadLetter(message: Message): DeadLetter {
  const headers = headersOf(message.properties);
  return {
    id: idOf(message, headers),
    // Headers of the ladder say how a former attempt ended; only a letter that we buried ourselves has its attempts.
    ...(HEADER.attempts in headers ? buriedByUs(headers) : buriedByBroker(headers)),
    properties: keptProperties(message.properties),
    headers,
    body: message.content,
    deliveryTag: message.fields.deliveryTag,
  };
}

/** The message as its producer sent it, to be sent again; it keeps the letter's id, so that it can be followed. */
export function original(letter: DeadLetter): MessageProperties & { messageId: string } {
  const { id, properties } = letter;
  const headers = producersHeaders(letter.headers);
  const expiration = expirationOf(letter.headers);
  if (expiration !== undefined) {
    delete headers[STAND_IN.expiration];
  }
  return { ...properties, headers, messageId: id, ...(expiration && { expiration }) };
}

type Failure = Pick<
  DeadLetter,
  "code" | "reason" | "attempts" | "firstFailedAt" | "lastFailedAt" | "worker" | "queue"
>;

function buriedByUs(headers: MessageHeaders): Failure {
  const attempts = headers[HEADER.attempts];
  return {
    code: text(headers[HEADER.errorCode], 64) ?? BY_BROKER.unknown,
    reason: text(headers[HEADER.reason]) ?? "",
    attempts: typeof attempts === "number" ? attempts : 0,
    firstFailedAt: instant(headers[HEADER.firstFailedAt]),
    lastFailedAt: instant(headers[HEADER.lastFailedAt]),
    worker: text(headers[HEADER.worker], 128),
    queue: text(headers[HEADER.queue], 255),
  };
}

/** Poison that killed its worker before that could say anything, or a letter put here by hand. */
function buriedByBroker(headers: MessageHeaders): Failure {
  const deaths = headers["x-death"];
  // The latest comes first; earlier ones are the ladder's.
  const death = (Array.isArray(deaths) ? deaths[0] : undefined) as
    | { reason?: unknown; queue?: unknown; time?: { value?: unknown } }
    | undefined;
  const seconds = death?.time?.value;
  const diedAt = typeof seconds === "number" ? instant(seconds * 1_000) : undefined;
  const code = death?.reason === "delivery_limit" ? BY_BROKER.delivery_limit : BY_BROKER.unknown;
  const queue = text(death?.queue, 255);
  return {
    code,
    reason:
      code === BY_BROKER.delivery_limit
        ? `${queue ?? "the queue"} gave it up: delivered again and again, never answered; it may kill its worker`
        : (text(death?.reason) ?? "nothing was written on it"),
    attempts: attemptOf(headers),
    firstFailedAt: instant(headers[HEADER.firstFailedAt]) ?? diedAt,
    lastFailedAt: diedAt,
    worker: text(headers[HEADER.worker], 128),
    queue,
  };
}

/** Stable for as long as the letter lies there: of what the broker changes at each look (delivery count), nothing counts. */
function idOf(message: Message, headers: MessageHeaders): string {
  const given: unknown = message.properties.messageId;
  if (typeof given === "string" && PRINTABLE_ID.test(given)) {
    return given;
  }
  const hash = createHash("sha256").update(message.content);
  hash.update(JSON.stringify([given ?? null, headers["x-death"] ?? null, producersHeaders(headers)]));
  return `derived-${hash.digest("hex").slice(0, 20)}`;
}

/** In the one form that all readers of it take; a time that cannot be is none. */
function instant(value: unknown): string | undefined {
  const at = new Date(typeof value === "string" || typeof value === "number" ? value : Number.NaN);
  return at.getTime() >= 0 && at.getTime() < AFTER_ALL_TIME ? at.toISOString() : undefined;
}

function text(value: unknown, maxChars = 1_000): string | undefined {
  // Blanks say nothing either.
  return typeof value === "string" ? tidyReason(value).slice(0, maxChars) || undefined : undefined;
}
