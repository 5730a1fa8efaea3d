import type { DeadLetter } from "../broker/dead_letter.js";
import { EVENT_HEADER } from "../messaging/event.js";

/** What a terminal would obey or not show: control and format characters, lone surrogates, unassigned code points. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** A letter whole, for JSON: the body as text where it is UTF-8, in base64 otherwise. */
export function jsonOf(letter: DeadLetter): Record<string, unknown> {
  const { id, code, reason, attempts, firstFailedAt, lastFailedAt, worker, properties, headers, body } =
    letter;
  const text = textOf(body);
  return {
    id,
    code,
    reason,
    attempts,
    firstFailedAt: firstFailedAt ?? null,
    lastFailedAt: lastFailedAt ?? null,
    worker: worker ?? null,
    contentType: properties.contentType ?? null,
    properties,
    headers,
    bytes: body.length,
    encoding: text === undefined ? "base64" : "utf8",
    body: text ?? body.toString("base64"),
    ...(properties.type === undefined ? {} : { envelope: envelopeOf(letter) }),
  };
}

/** An event's letter in the words of the services' contract; `timestamp` is when it failed last. */
function envelopeOf({ properties, headers, body, lastFailedAt, attempts, code, reason }: DeadLetter) {
  return {
    original_topic: properties.type,
    key: headers[EVENT_HEADER.key] ?? null,
    value: textOf(body) ?? null,
    timestamp: lastFailedAt ?? null,
    attempts,
    error: `${code}: ${reason}`,
  };
}

/** A letter whole, for a person. */
export function describeLetter(letter: DeadLetter): string {
  const text = textOf(letter.body);
  // Line ends and tabs are the only control characters that are safe to show as they are.
  const readable = text !== undefined && text.replaceAll(/[\n\r\t]/g, "").search(UNPRINTABLE) === -1;
  const fields = {
    id: letter.id,
    code: letter.code,
    reason: letter.reason,
    attempts: String(letter.attempts),
    "first failed": letter.firstFailedAt ?? "unknown",
    "last failed": letter.lastFailedAt ?? "unknown",
    worker: letter.worker ?? "unknown",
  };
  const entries = (of: object) =>
    Object.entries(of).map(([name, value]) => `  ${printable(name)}: ${printable(JSON.stringify(value))}`);
  return [
    ...Object.entries(fields).map(([name, value]) => `${name.padEnd(12)}  ${printable(value)}`),
    "properties",
    ...entries(letter.properties),
    "headers",
    ...entries(letter.headers),
    `body, ${letter.body.length} bytes${readable ? "" : ", base64"}`,
    readable ? text : letter.body.toString("base64"),
  ].join("\n");
}

/** The beginning of a body on one line; in hexadecimal when it is no text. */
export function previewOf(body: Buffer, maxChars: number): string {
  // At most four bytes to a character; the last one may be cut.
  const head = body.subarray(0, maxChars * 4);
  const cut = head.length < body.length;
  const text = textOf(head, { cut });
  return shorten(text === undefined ? `0x${head.toString("hex")}` : printable(text), maxChars, { cut });
}

/** At most `maxChars` characters; an ellipsis stands for the rest, also for what was `cut` before. */
export function shorten(text: string, maxChars: number, { cut = false } = {}): string {
  const chars = [...text];
  if (chars.length <= maxChars && !cut) {
    return text;
  }
  return `${chars.slice(0, maxChars - 1).join("")}…`;
}

function printable(text: string): string {
  return text.replaceAll(/\s+/g, " ").replaceAll(UNPRINTABLE, "·");
}

function textOf(bytes: Buffer, { cut = false } = {}): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes, { stream: cut });
  } catch {
    return undefined;
  }
}
