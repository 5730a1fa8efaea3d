import { hash } from "node:crypto";
import { z } from "zod";

/** PostgreSQL's time to the microsecond, as text: a JavaScript Date has milliseconds, and a cursor cut to those skips rows. */
export const instant = z.iso.datetime({ precision: 6 });
/** The same of a column, for a SELECT's list. @param column as in the statement, e.g. `created_at`; never from outside. */
export const instantOf = (column: string) =>
  `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

/** A page of a list as it is answered; `next` is null on the last one. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly has_more: boolean;
  readonly next: string | null;
}

const MAX_ITEMS = 100;
const CHECK_BYTES = 6;

/**
 * A list by pages, each found by where the one before ended and not by counting: rows that come meanwhile shift nothing.
 * ```ts
 * const pages = keyset("movements", { created_at: instant, id: z.uuid() });
 * request: { query: z.strictObject({ ...pages.query }) }, answers: { 200: pages.answer(movement) },
 * // SELECT …, ${instantOf("created_at")} AS created_at … WHERE ($1::timestamptz IS NULL OR (created_at, id) < ($1, $2))
 * // ORDER BY created_at DESC, id DESC LIMIT $3, with pages.rowsOf(query): one more than the page has
 * body: pages.page(rows, query, (row) => ({ created_at: row.created_at, id: row.id }))
 * ```
 *
 * @param name of the list: the cursor of another one is refused.
 * @param shape what the rows are ordered by, the last of it unique, each value as text or a number.
 */
export function keyset<Shape extends z.core.$ZodShape>(name: string, shape: Shape) {
  type Position = z.output<z.ZodObject<Shape>>;
  const position = z.strictObject(shape);
  const names = Object.keys(shape);
  const cursor = z
    .string()
    .max(2_000)
    .transform((text, context): Position => {
      const values = decode(name, text);
      const read = position.safeParse(values && Object.fromEntries(names.map((key, i) => [key, values[i]])));
      if (!read.success) {
        context.addIssue({ code: "custom", message: "is not a cursor of this list" });
        return z.NEVER;
      }
      return read.data as Position;
    });
  const limit = z.coerce.number().int().min(1).max(MAX_ITEMS).default(50);
  const cursorAt = (at: Position): string =>
    encode(
      name,
      names.map((key) => (at as Record<string, unknown>)[key]),
    );
  return {
    /** Fields of the query: how many items, and the `next` of the page before. */
    query: { limit, cursor: cursor.optional() },
    answer: <Item extends z.ZodType>(item: Item) =>
      z.object({ items: z.array(item), has_more: z.boolean(), next: z.string().nullable() }),
    /** The cursor of the page after a position. */
    cursorAt,
    /** How many rows to ask for. */
    rowsOf: (query: { readonly limit: number }) => query.limit + 1,
    /** Of rows in their order. @param positionOf where in it a row stands. */
    page: <Row>(
      rows: readonly Row[],
      query: { readonly limit: number },
      positionOf: (row: Row) => Position,
    ): Page<Row> => {
      const items = rows.slice(0, query.limit);
      const last = items.at(-1);
      const hasMore = rows.length > items.length && last !== undefined;
      return { items, has_more: hasMore, next: hasMore ? cursorAt(positionOf(last)) : null };
    },
  };
}

/** Base64url of a check and the values. The check is no secret: it tells a slip or another list's cursor, and values are checked too. */
function encode(name: string, values: readonly unknown[]): string {
  const text = JSON.stringify(values);
  return Buffer.concat([checkOf(name, text), Buffer.from(text)]).toString("base64url");
}

function decode(name: string, cursor: string): unknown[] | undefined {
  const bytes = Buffer.from(cursor, "base64url");
  const text = bytes.subarray(CHECK_BYTES).toString();
  // Node reads base64 leniently; only what it would write itself is a cursor.
  if (bytes.toString("base64url") !== cursor || !checkOf(name, text).equals(bytes.subarray(0, CHECK_BYTES))) {
    return undefined;
  }
  try {
    const values: unknown = JSON.parse(text);
    return Array.isArray(values) ? values : undefined;
  } catch {
    return undefined;
  }
}

function checkOf(name: string, text: string): Buffer {
  return hash("sha256", `${name} ${text}`, "buffer").subarray(0, CHECK_BYTES);
}
