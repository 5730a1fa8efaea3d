import { Readable } from "node:stream";
import { finished, pipeline } from "node:stream/promises";
import { from as copyFrom } from "pg-copy-streams";
import type { Client } from "./pool.js";

/** Lines are sent in pieces of about this size: two socket writes each, so single lines would cost. */
const PIECE_CHARACTERS = 64 * 1_024;

/**
 * Fills a table by COPY from lines of its text format, as they are asked for.
 *
 * @param target the table with its columns, as SQL has it: `schema.table (a, b)`
 */
export async function copyLines(
  client: Client,
  target: string,
  lines: Iterable<string>,
  signal?: AbortSignal,
): Promise<void> {
  const copy = client.query(copyFrom(`COPY ${target} FROM STDIN`));
  await pipeline(Readable.from(pieces(lines)), copy, signal ? { signal } : {});
}

/** The same of a text that is small enough to be sent as one: a pipeline takes half a millisecond to be set up. */
export async function copyAtOnce(client: Client, target: string, text: string): Promise<void> {
  const copy = client.query(copyFrom(`COPY ${target} FROM STDIN`));
  copy.end(text);
  await finished(copy);
}

export type CopyValue = string | number | bigint | boolean | Date | null;

/** A line of values, with its end. */
export const copyLine = (values: readonly CopyValue[]): string => `${values.map(copyText).join("\t")}\n`;

/** A value in such a line: what would end it or the line is escaped, null is \\N. */
export function copyText(value: CopyValue): string {
  switch (typeof value) {
    case "string":
      return value.replace(/[\\\n\r\t]/g, (char) => ESCAPED[char] ?? char);
    case "object":
      return value === null ? "\\N" : value.toISOString();
    default:
      return String(value);
  }
}

const ESCAPED: Readonly<Record<string, string>> = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function* pieces(lines: Iterable<string>): Generator<string> {
  let piece = "";
  for (const line of lines) {
    piece += line;
    if (piece.length < PIECE_CHARACTERS) {
      continue;
    }
    yield piece;
    piece = "";
  }
  yield piece;
}
