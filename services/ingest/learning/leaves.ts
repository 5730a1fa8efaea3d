import { JsonNumber, numberText } from "../../../lib/domain/json.js";
import { wordsOf } from "./words.js";

/** A value of an event and where it stands: `/data/items/*\/amount`, where `*` is the only item of a list. */
export interface Leaf {
  readonly path: string;
  readonly type: "text" | "number" | "boolean";
  /** As it was written. */
  readonly text: string;
}

export type Leaves = ReadonlyMap<string, Leaf>;

/** Of an event; more tell nothing more of its shape. */
const MAX_LEAVES = 200;
const MAX_TEXT = 200;
/** What merchants add at will: of no shape. */
const FREE = /^(?:meta|metadata|additional|extras?|custom|udf|userdata|passthrough|tags?|labels?)$/;
/** A key that is an id: `ord_918231`, a UUID. */
const ID_LIKE = /\d{4}|[0-9a-f]{8}-[0-9a-f]{4}/i;
const NEVER: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

/**
 * What of an event belongs to its shape, by path: no nulls, no blanks, nothing of metadata, nothing below a key that is an id, and
 * nothing of lists with several items, since a place in them is no field.
 */
export function leavesOf(document: unknown): Leaves {
  const leaves = new Map<string, Leaf>();
  collect(document, "", leaves);
  return leaves;
}

function collect(value: unknown, path: string, leaves: Map<string, Leaf>): void {
  if (Array.isArray(value)) {
    if (value.length === 1) {
      collect(value[0], `${path}/*`, leaves);
    }
    return;
  }
  if (typeof value === "object" && value !== null && !(value instanceof JsonNumber)) {
    for (const [key, member] of Object.entries(value)) {
      if (!NEVER.has(key) && !ID_LIKE.test(key) && !FREE.test(wordsOf(key)[0] ?? "")) {
        collect(member, `${path}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`, leaves);
      }
    }
    return;
  }
  const text = typeof value === "boolean" ? String(value) : numberText(value);
  if (typeof text !== "string" || text.trim() === "" || text.length > MAX_TEXT || leaves.size >= MAX_LEAVES) {
    return;
  }
  leaves.set(path, { path, type: typeOf(value), text });
}

function typeOf(value: unknown): Leaf["type"] {
  if (typeof value === "boolean") {
    return "boolean";
  }
  return typeof value === "string" ? "text" : "number";
}

/** The values at some paths as a table of meanings has them, blank where one is missing. */
export const keyAt = (leaves: Leaves, paths: readonly string[]): string =>
  paths.map((path) => leaves.get(path)?.text.trim() ?? "").join(" | ");

/** How much of their paths two events have in common, 0 to 1. */
export function likeness(one: ReadonlySet<string>, other: ReadonlySet<string>): number {
  const common = [...one].filter((path) => other.has(path)).length;
  return common / (one.size + other.size - common || 1);
}
