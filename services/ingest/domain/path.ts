import { numberText } from "../../../lib/domain/json.js";

/**
 * Where a rule finds something. `/data/object/id` begins at the document, `./amount` at the record that the body was cut into,
 * `../PmtInfSts` at what the record is in. `[rel=up]` is the item of a list whose member `rel` is `up`, a number the item at that
 * place, -1 the last; a list that is gone through without either gives its first item. An element of XML with attributes gives its text. In a name
 * `~1` is a slash.
 */
export type Path = string;

export interface CompiledPath {
  /** Levels up from the record; -1 for the document. */
  readonly up: number;
  readonly steps: readonly Step[];
}

interface Step {
  readonly name: string;
  readonly filter?: { readonly key: string; readonly value: string };
}

/** The places that paths begin at: the document, and from outside to inside the records that were cut. */
export interface Scope {
  readonly root: Located;
  readonly levels: readonly Level[];
}

export interface Level extends Located {
  /** Records that were cut out of the same list. */
  readonly siblings: number;
}

export interface Located {
  readonly node: unknown;
  /** JSON pointer. */
  readonly pointer: string;
}

export interface Found {
  readonly text: string;
  readonly pointer: string;
}

/** Paths are compiled once, when a rule set is. */
export function compilePath(path: Path): CompiledPath {
  const up = /^(?:\.\.\/)*/.exec(path)?.[0].length ?? 0;
  const rest = path.slice(up).replace(/^\.\//, "");
  const fromRoot = up === 0 && rest.startsWith("/");
  const steps = rest.split("/").filter((name) => name !== "");
  return { up: fromRoot ? -1 : up / 3, steps: steps.map(stepOf) };
}

function stepOf(name: string): Step {
  const [, key, value] = /^\[([^=]+)=(.*)\]$/.exec(name) ?? [];
  return key === undefined || value === undefined
    ? { name: name.replaceAll("~1", "/") }
    : { name, filter: { key, value } };
}

function start({ up }: CompiledPath, { root, levels }: Scope): Located | undefined {
  if (up < 0) {
    return root;
  }
  return levels.length === 0 && up === 0 ? root : levels[levels.length - 1 - up];
}

/** The node at a path, undefined where there is none. */
export function locate(path: CompiledPath, scope: Scope): Located | undefined {
  const from = start(path, scope);
  let node = from?.node;
  let pointer = from?.pointer ?? "";
  for (const { name, filter } of path.steps) {
    if (Array.isArray(node)) {
      const isPlace = /^-?\d+$/.test(name);
      const index = filter === undefined ? placeIn(node, isPlace ? Number(name) : 0) : indexOf(node, filter);
      node = node[index];
      pointer += `/${index}`;
      if (filter !== undefined || isPlace) {
        continue;
      }
    }
    if (typeof node !== "object" || node === null) {
      return undefined;
    }
    if (filter === undefined) {
      if (!Object.hasOwn(node, name)) {
        // A single element is no list: the first item of one is itself.
        if (name === "0" || name === "-1") {
          continue;
        }
        return undefined;
      }
      node = (node as Record<string, unknown>)[name];
      pointer += `/${name}`;
    } else if ((node as Record<string, unknown>)[filter.key] !== filter.value) {
      return undefined;
    }
  }
  return node === undefined ? undefined : { node, pointer };
}

const placeIn = ({ length }: readonly unknown[], place: number): number =>
  place < 0 ? length + place : place;

function indexOf(items: readonly unknown[], { key, value }: NonNullable<Step["filter"]>): number {
  return items.findIndex((item) => numberText((item as Record<string, unknown> | null)?.[key]) === value);
}

/** Longer text is no value of a payment; it is left where it is. */
const MAX_TEXT = 1_000;

/** The text of the scalar at a path; undefined where there is none, or an empty one. */
export function find(path: CompiledPath, scope: Scope): Found | undefined {
  const located = locate(path, scope);
  if (located === undefined) {
    return undefined;
  }
  const text = textOf(located.node);
  return text === undefined ? undefined : { text, pointer: located.pointer };
}

/** The first of several paths that has a text. */
export function findFirst(paths: readonly CompiledPath[], scope: Scope): Found | undefined {
  for (const path of paths) {
    const found = find(path, scope);
    if (found !== undefined) {
      return found;
    }
  }
  return undefined;
}

export function textOf(node: unknown): string | undefined {
  if (Array.isArray(node)) {
    return textOf(node[0]);
  }
  const value = numberText(node);
  if (typeof value === "string") {
    return value === "" || value.length > MAX_TEXT ? undefined : value;
  }
  if (typeof value === "boolean") {
    return String(value);
  }
  return typeof value === "object" && value !== null && "#text" in value ? textOf(value["#text"]) : undefined;
}
