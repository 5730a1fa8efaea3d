import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../root.js";

const cache = new Map<string, string>();

/**
 * The text of db/queries/<name>.sql with its `:"name"` places filled, the way psql's variables work.
 *
 * @param identifiers table names, with or without schema, as `quoteName` takes them: an identifier cannot be a parameter.
 */
export function loadSql(name: string, identifiers: Readonly<Record<string, string>> = {}): string {
  let text = cache.get(name);
  if (text === undefined) {
    text = readFileSync(join(packageRoot, "db", "queries", `${name}.sql`), "utf8");
    cache.set(name, text);
  }
  return text.replaceAll(/:"([a-z_]+)"/g, (_, key: string) => {
    const value = identifiers[key];
    if (value === undefined) {
      throw new Error(`${name}.sql needs the identifier ${key}`);
    }
    return quoteName(value);
  });
}

/** Quotes `table` or `schema.table`; anything but lower-case words is refused. */
export function quoteName(name: string): string {
  if (!/^[a-z_][a-z0-9_]{0,62}(\.[a-z_][a-z0-9_]{0,62})?$/.test(name)) {
    throw new Error(`not a plain identifier: ${name}`);
  }
  return name
    .split(".")
    .map((part) => `"${part}"`)
    .join(".");
}
