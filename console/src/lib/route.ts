import { queryText } from "./api.js";

export type Texts = Readonly<Record<string, string>>;

/** Where the page is: in the address' hash, as the services' own paths (/payments, /wallets) are at the same origin. */
export interface Place {
  /** Decoded parts of the path: `#/queues/wallet.dlq` → `["queues", "wallet.dlq"]`. */
  readonly path: readonly string[];
  /** Filters and cursor, so that back and reload keep them. */
  readonly query: Texts;
}

export function placeOf(hash: string): Place {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split(/\?(.*)/s);
  return {
    path: path.split("/").filter(Boolean).map(decode),
    query: Object.fromEntries(new URLSearchParams(query)),
  };
}

/** An address typed by hand may hold a lone percent sign. */
function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The inverse of `placeOf`: `hrefOf(["payments"], { state: "DECLINED" })` → `#/payments?state=DECLINED`. */
export function hrefOf(
  path: readonly string[],
  query: Readonly<Record<string, string | undefined>> = {},
): string {
  return `#/${path.map(encodeURIComponent).join("/")}${queryText(query)}`;
}

/** `queues/:name` against `["queues", "wallet.dlq"]` → `{ name: "wallet.dlq" }`; undefined when it is another page. */
export function match(pattern: string, path: readonly string[]): Texts | undefined {
  const parts = pattern.split("/").filter(Boolean);
  if (parts.length !== path.length) {
    return undefined;
  }
  const params: Record<string, string> = {};
  for (const [index, part] of parts.entries()) {
    const value = path[index] ?? "";
    if (part.startsWith(":")) {
      params[part.slice(1)] = value;
    } else if (part !== value) {
      return undefined;
    }
  }
  return params;
}
