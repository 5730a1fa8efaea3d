import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
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

/** A value in such a line: what would end it or the line is escaped, null is \\N. */
export function copyText(value: string | null): string {
  return value === null ? "\\N" : value.replace(/[\\\n\r\t]/g, (char) => ESCAPED[char] ?? char);
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
