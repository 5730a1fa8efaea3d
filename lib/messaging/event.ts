import type { z } from "zod";
import type { OutgoingMessage } from "../broker/confirms.js";
import { EVENTS_EXCHANGE } from "../broker/topology.js";
import { newTraceId, traceIdOf, traceparentOf } from "../observability/trace.js";

/** An event that a service publishes and others take: what both ends agree on. */
export interface EventContract<Body> {
  /** Routing key and `type` property, e.g. `wallet.response`. */
  readonly name: string;
  /** Raised when older consumers cannot read it any more; they make dead letters of it then. */
  readonly version: number;
  /** Fields that it does not name are ignored. */
  readonly schema: z.ZodType<Body>;
  /** What it is about, e.g. a payment's id. */
  readonly key: (body: Body) => string;
}

/** Headers of an event, beside the broker's and those of lib/broker/headers.ts. */
export const EVENT_HEADER = {
  traceparent: "traceparent",
  key: "key",
  schemaVersion: "schema-version",
  /**
   * On what is certainly said once more: observers skip it, so that they count what happened and not how often it was said. After a
   * crash the first word may be said again without it, under the same message id.
   */
  repeat: "x-repeat",
  /** On what is true only as long as the teller's database remembers it: ops.timeline() when it was told. */
  timeline: "x-timeline",
} as const;

export interface EventOptions {
  readonly messageId: string;
  /** 32 hex digits; a new trace when there is none. */
  readonly traceId?: string | undefined;
  readonly repeat?: boolean;
  /** Of the transaction that makes it true, where somebody takes it on trust. */
  readonly timeline?: string;
}

/** An event as a message. Its body is the contract's JSON and nothing else. */
export function eventMessage<Body>(
  event: EventContract<Body>,
  body: Body,
  { messageId, traceId = newTraceId(), repeat = false, timeline }: EventOptions,
): OutgoingMessage {
  return toExchange({
    event: event.name,
    messageId,
    body: JSON.stringify(body),
    headers: {
      [EVENT_HEADER.traceparent]: traceparentOf(traceId),
      [EVENT_HEADER.key]: event.key(body),
      [EVENT_HEADER.schemaVersion]: event.version,
      ...(repeat ? { [EVENT_HEADER.repeat]: true } : {}),
      ...(timeline === undefined ? {} : { [EVENT_HEADER.timeline]: timeline }),
    },
    atMs: Date.now(),
  });
}

/** What is kept of an event while it waits in an outbox. */
export interface StoredEvent {
  readonly event: string;
  readonly messageId: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly atMs: number;
}

export function toExchange({ event, messageId, body, headers, atMs }: StoredEvent): OutgoingMessage {
  return {
    to: { exchange: EVENTS_EXCHANGE, routingKey: event },
    body: Buffer.from(body),
    properties: {
      messageId,
      type: event,
      contentType: "application/json",
      timestamp: Math.floor(atMs / 1_000),
      headers,
    },
  };
}

/** An event in the hands of its handler. */
export interface ReceivedEvent<Body> {
  readonly body: Body;
  /** Of the message; the same for every copy of it. */
  readonly messageId: string;
  readonly traceId: string;
  /** 1 when it comes for the first time, one more after each rung of the retry ladder. */
  readonly attempt: number;
  /** It was sent once more, as a message of its own; so what follows from it is said once more too. */
  readonly repeat?: boolean;
  /** On which timeline of its database it was told; undefined: it was not said. */
  readonly timeline?: string | undefined;
}

export function traceOf(headers: Readonly<Record<string, unknown>>): string {
  return traceIdOf(headers[EVENT_HEADER.traceparent]) ?? newTraceId();
}
