import { randomHex } from "../domain/random.js";

const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The trace id (32 hex digits) of a W3C traceparent header; undefined when it is not a valid one. */
export function traceIdOf(traceparent: unknown): string | undefined {
  return typeof traceparent === "string" ? TRACEPARENT.exec(traceparent)?.[1] : undefined;
}

export function newTraceId(): string {
  return randomHex(16);
}

/** The header for what is caused under a trace id; the span is a new one. */
export function traceparentOf(traceId: string): string {
  return `00-${traceId}-${randomHex(8)}-01`;
}
