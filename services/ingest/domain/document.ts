import { JsonNumber } from "../../../lib/domain/json.js";
import { parseJson } from "../../../lib/domain/json_parse.js";
import { parseCsv } from "./csv.js";
import { parseForm } from "./form.js";
import { Malformed } from "./malformed.js";
import { parseXml } from "./xml.js";

/** What a provider sent: JSON that was read already, or text of any format. */
export type RawBody = { readonly value: unknown } | { readonly text: string };

export const FORMATS = ["json", "xml", "csv", "form"] as const;
export type Format = (typeof FORMATS)[number];

/** A body as a tree of objects, lists and scalars. CSV is a list of objects, whose keys are the columns in lower case. */
export interface Document {
  readonly format: Format;
  readonly root: unknown;
}

/** `JSON.stringify` overflows its stack at some 3,000 levels; events have a dozen. */
export const MAX_DEPTH = 64;
export const MAX_BYTES = 256 * 1024;
/** Names in objects, elements and attributes. Of CSV only the size is bounded: a report has many rows. */
const MAX_KEYS = 2_000;
/** So many records a body may have, and items its lists together: to go through more would take more than 100 ms. */
export const MAX_RECORDS = 5_000;

/** Names that reach an object's prototype when a tree is copied carelessly. */
const UNSAFE_KEYS: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

/** With the flag u a pair of surrogates is one character, so just halves match; without it the search is fast. */
const HALF_A_PAIR = /\p{Surrogate}/u;
const PART_OF_A_PAIR = /[\ud800-\udfff]/;

export interface ParseOptions {
  /** Text with separators and no line of names is one record, whose columns are called `1`, `2`, … */
  readonly headerless?: boolean | undefined;
}

/**
 * Reads a body within limits of size, depth and number of keys, so that the worst of them takes under 100 ms.
 *
 * @throws Malformed for what is over a limit, what two readers may take for two things (a name twice, an internal DTD), and text
 * that PostgreSQL cannot hold (NUL, half a surrogate pair).
 */
export function parseDocument(body: RawBody, options: ParseOptions = {}): Document {
  const document =
    "text" in body ? parseText(body.text, options) : ({ format: "json", root: body.value } as const);
  if (typeof document.root !== "object" || document.root === null) {
    throw new Malformed("it is neither an object nor a list of objects");
  }
  check(document.root, document.format === "csv" ? Number.POSITIVE_INFINITY : MAX_KEYS);
  return document;
}

function parseText(text: string, { headerless = false }: ParseOptions): Document {
  // A character takes three bytes at most in UTF-16's basic plane: only long text has to be counted.
  if (text.length > MAX_BYTES || (text.length > MAX_BYTES / 3 && Buffer.byteLength(text) > MAX_BYTES)) {
    throw new Malformed(`it has more than ${MAX_BYTES} bytes`);
  }
  requireStorable(text);
  const trimmed = text.replace(/^\ufeff/, "").trim();
  switch (trimmed.charAt(0)) {
    case "":
      throw new Malformed("it is empty");
    case "{":
    case "[":
      return { format: "json", root: jsonOf(trimmed) };
    case "<":
      return { format: "xml", root: parseXml(trimmed, MAX_KEYS) };
    default: {
      const form = parseForm(trimmed);
      return form === undefined
        ? { format: "csv", root: parseCsv(trimmed, headerless) }
        : { format: "form", root: form };
    }
  }
}

function jsonOf(text: string): unknown {
  try {
    return parseJson(text, { maxDepth: MAX_DEPTH });
  } catch (error) {
    throw new Malformed((error as Error).message);
  }
}

/** Without recursion: a value that was given may be deeper than any stack. */
function check(root: object, maxKeys: number): void {
  let keys = 0;
  let items = 0;
  let level: object[] = [root];
  for (let depth = 1; level.length > 0; depth += 1) {
    if (depth > MAX_DEPTH) {
      throw new Malformed(`it has more than ${MAX_DEPTH} levels`);
    }
    const next: object[] = [];
    for (const each of level) {
      keys += checkMembers(each, next);
      items += Array.isArray(each) ? each.length : 0;
      if (keys > maxKeys) {
        throw new Malformed(`it has more than ${MAX_KEYS} keys`);
      }
      if (items > MAX_RECORDS) {
        throw new Malformed(`its lists have more than ${MAX_RECORDS} items`);
      }
    }
    level = next;
  }
}

/** @returns the number of its keys; what is to be gone through next is added to `next`. */
function checkMembers(parent: object, next: object[]): number {
  if (parent instanceof JsonNumber) {
    return 0;
  }
  const isList = Array.isArray(parent);
  const names = isList ? [] : Object.keys(parent);
  for (const name of names) {
    if (UNSAFE_KEYS.has(name)) {
      throw new Malformed("a key is a name that objects have by themselves");
    }
    requireStorable(name);
  }
  for (const member of isList ? parent : Object.values(parent)) {
    if (typeof member === "string") {
      requireStorable(member);
    } else if (typeof member === "object" && member !== null) {
      next.push(member);
    }
  }
  return names.length;
}

function requireStorable(text: string): void {
  if (text.includes("\0") || (PART_OF_A_PAIR.test(text) && HALF_A_PAIR.test(text))) {
    throw new Malformed("its text has a NUL or half a surrogate pair");
  }
}
