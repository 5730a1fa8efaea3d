import { z } from "zod";

const MAX_ITEMS = 100;
const DEFAULT_ITEMS = 50;

/**
 * Members of a query that asks for a page: `limit` items after `cursor`, which comes out as the key that `key` describes. It is
 * checked like any input, since a caller can make one up. A time in a key is PostgreSQL's text: a Date drops its microseconds.
 */
export function pageQuery<Key extends z.ZodType>(key: Key) {
  const cursor = z
    .string()
    .max(1_024, "is no cursor of ours")
    .transform((text, context): z.output<Key> => {
      const parsed = key.safeParse(decoded(text));
      if (!parsed.success) {
        context.addIssue({ code: "custom", message: "is no cursor of ours" });
        return z.NEVER;
      }
      return parsed.data;
    });
  return {
    limit: z.coerce.number().int().min(1).max(MAX_ITEMS).default(DEFAULT_ITEMS),
    cursor: cursor.optional(),
  };
}

/** Opaque text that a caller hands back for the next page: the sort key of the last item. */
export function cursorOf(key: readonly string[]): string {
  return Buffer.from(JSON.stringify(key)).toString("base64url");
}

function decoded(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, "base64url").toString());
  } catch {
    return undefined;
  }
}
