import type { z } from "zod";
import { attemptOf } from "../broker/headers.js";
import { CoreError } from "../core_errors.js";
import { derivedId } from "../domain/ids.js";
import { parseJson } from "../domain/json_parse.js";
import { EVENT_HEADER, type EventContract, type ReceivedEvent, traceOf } from "./event.js";

/** A message as it came: from anyone, so of any shape. */
export interface RawEvent {
  readonly body: Buffer;
  readonly type: unknown;
  readonly messageId: string | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
}

const VISIBLE = /^[\x21-\x7e]{1,255}$/;

/**
 * Goes by the message's `type`, never by the way that it came.
 *
 * @throws CoreError MESSAGE_MALFORMED, MESSAGE_VERSION_UNKNOWN, with what is wrong but never the body itself
 */
export function readEvent<Body>(event: EventContract<Body>, raw: RawEvent): ReceivedEvent<Body> {
  if (raw.type !== event.name) {
    const type = typeof raw.type === "string" ? JSON.stringify(raw.type.slice(0, 100)) : "missing";
    throw new CoreError("MESSAGE_MALFORMED", `its type is ${type}; this queue takes ${event.name}.`);
  }
  const version = raw.headers[EVENT_HEADER.schemaVersion];
  if (typeof version === "number" && version > event.version) {
    throw new CoreError(
      "MESSAGE_VERSION_UNKNOWN",
      `${event.name} has schema version ${version}; this code reads up to ${event.version}.`,
      { hint: "Deploy the newer consumer, then replay the letter." },
    );
  }
  const timeline = raw.headers[EVENT_HEADER.timeline];
  return {
    body: parseBody(event.schema, raw.body),
    // One without an id, or with one that no column holds, is known by what it says.
    messageId: VISIBLE.test(raw.messageId ?? "")
      ? (raw.messageId as string)
      : derivedId(raw.body.toString("latin1"), event.name),
    traceId: traceOf(raw.headers),
    attempt: attemptOf(raw.headers),
    repeat: raw.headers[EVENT_HEADER.repeat] === true,
    timeline: typeof timeline === "string" ? timeline : undefined,
  };
}

/**
 * A message's body in a shape.
 *
 * @throws CoreError MESSAGE_MALFORMED, with what is wrong but never the body itself
 */
export function parseBody<Body>(schema: z.ZodType<Body>, bytes: Buffer): Body {
  const parsed = schema.safeParse(parseJson(bytes));
  if (!parsed.success) {
    const problems = parsed.error.issues.map(
      ({ path, message }) => `${path.join(".") || "body"}: ${message}`,
    );
    throw new CoreError("MESSAGE_MALFORMED", `${problems.join("; ")}.`);
  }
  return parsed.data;
}
