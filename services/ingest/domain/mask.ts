import { maskCardData, maskCardText } from "../../../lib/domain/card_data.js";
import { meaningOf } from "../../../lib/domain/card_keys.js";
import { maskNumber, maskNumbersIn } from "../../../lib/domain/card_numbers.js";
import { JsonNumber, writeJson } from "../../../lib/domain/json.js";
import { parseJson } from "../../../lib/domain/json_parse.js";
import { decodedBase64, encodedAs } from "./base64.js";
import { columnName, parseTable } from "./csv.js";
import { MAX_BYTES, MAX_DEPTH, type RawBody } from "./document.js";
import { parseForm, percentDecoded } from "./form.js";
import { numberedCharacter, REFERENCE } from "./xml_characters.js";

/** Shown in place of a secret, as in `lib/domain/card_data`. */
const HIDDEN = "***";
/** Documents are sent within documents, as base64 within JSON within a form; deeper ones were never seen. */
const MAX_NESTING = 3;
/**
 * A body has so many documents within it at most, each some 50 µs to begin with. In what comes after them numbers and named values are
 * found all the same.
 */
const MAX_DOCUMENTS = 200;
/** Of 16 characters and more, which are 12 encoded: no shorter one has a name and a secret. Ruby and MIME wrap lines, which JSON escapes. */
const BASE64 = /[A-Za-z0-9+/_-]{16,}(?:(?:\r)?(?:\n|\\r\\n|\\n)[A-Za-z0-9+/_-]+)*={0,2}/g;
const LINES = /(?:[\r\n]|\\[rn])+/;
/** Nine digits in base64, which tell where it begins: a path of a URL before it is of the same alphabet. */
const DIGITS = /(?:[MNO][DTjz][AEIMQUYcgk][w-z0-5]){3}/;
/** A run as long as `BASE64` has them. */
const RUN = /[A-Za-z0-9+/_-]{16}/;
/** One of them is in each name with a value, element, form, table, percent-encoding, reference and escape. */
const JOINT = /[=:>,;\t|%&\\]/;
/** What no text has. */
const NO_TEXT = /(?![\t\n\r\u0080-\u009f])\p{Cc}/u;
/** What an element begins with, in CDATA or not. No part of it can be what the next one is, so that time is linear. */
const ELEMENT = /<([A-Za-z_][\w.:-]{0,63})((?:\s[^<>]{0,1000})?)>(\s*(?:<!\[CDATA\[)?)([^<\]]*)/g;

/** Where a text is within a body. */
interface Within {
  readonly nesting: number;
  /** What the whole body may have still. */
  readonly left: { documents: number };
}

const outermost = (): Within => ({ nesting: 0, left: { documents: MAX_DOCUMENTS } });

/** One level deeper; undefined: what is there is read by nobody. */
function deeper({ nesting, left }: Within): Within | undefined {
  if (nesting >= MAX_NESTING || left.documents === 0) {
    return undefined;
  }
  left.documents -= 1;
  return { nesting: nesting + 1, left };
}

/**
 * A body without card data, before it is stored, logged, sent on or shown to a model: card numbers keep their first six and last
 * four digits, what only a cardholder has is gone. Also within text of XML, CSV and forms, within base64 and percent-encoding. A body
 * without card data is given back as it is.
 */
export function maskBody(body: RawBody): RawBody {
  if ("text" in body) {
    const text = maskText(body.text);
    return text === body.text ? body : { text };
  }
  const value = maskValue(body.value, outermost());
  return value === body.value ? body : { value };
}

/** The same of text of any format. Text that is longer than a body may be is nobody's document. */
export function maskText(text: string): string {
  return text.length > MAX_BYTES
    ? maskCardText(maskedBase64(text, outermost()))
    : maskedText(text, outermost());
}

function maskValue(value: unknown, within: Within): unknown {
  return maskStrings(maskCardData(value).value, within);
}

/** What strings have within them. The rest of a value is done by its keys. */
function maskStrings(value: unknown, within: Within): unknown {
  if (typeof value === "string") {
    return maskedString(value, within);
  }
  if (typeof value !== "object" || value === null || value instanceof JsonNumber) {
    return value;
  }
  if (Array.isArray(value)) {
    const items = value.map((item) => maskStrings(item, within));
    return items.every((item, index) => item === value[index]) ? value : items;
  }
  const entries = Object.entries(value);
  const masked = entries.map(([key, member]) => [key, maskStrings(member, within)] as const);
  return masked.every(([, member], index) => member === entries[index]?.[1])
    ? value
    : Object.fromEntries(masked);
}

/** A string of a value: only where it is a document itself, or has something encoded, there is more to do than was done. */
function maskedString(text: string, within: Within): string {
  if (text.length < 13) {
    return text;
  }
  const inner = /^\s*[<{[]|[\n%&]/.test(text) ? deeper(within) : undefined;
  return inner === undefined ? maskedBase64(text, within) : maskedText(text, inner);
}

/**
 * Whether text has no more than numbers as they stand: nothing is encoded in it, and nothing is named that has a digit. Names and what
 * ids decode to mostly are such, and to look for a table in one takes 20 µs.
 */
const isBare = (text: string): boolean => !RUN.test(text) && !(/[0-9]/.test(text) && JOINT.test(text));

function maskedText(text: string, within: Within): string {
  if (isBare(text)) {
    return maskNumbersIn(text);
  }
  const plain = maskedBase64(text, within);
  switch (
    plain
      .replace(/^\ufeff/, "")
      .trimStart()
      .charAt(0)
  ) {
    case "{":
    case "[":
      return maskedJson(plain, within);
    case "<":
      return maskedXml(plain);
    default:
      return maskedForm(plain, within) ?? maskedTable(plain);
  }
}

function maskedJson(text: string, within: Within): string {
  try {
    const value = parseJson(text, { maxDepth: MAX_DEPTH });
    const masked = maskValue(value, within);
    return masked === value ? text : writeJson(masked);
  } catch {
    // Digits may be written as escapes in what is no JSON as well.
    return maskCardText(text.replaceAll(/\\u003([0-9])/g, "$1"));
  }
}

/** An element is named where it begins, and its attributes stand between its name and its text. */
function maskedXml(text: string): string {
  const digits = text.replaceAll(REFERENCE, (reference, name: string) => {
    const shown = name.startsWith("#") ? numberedCharacter(name) : undefined;
    return shown !== undefined && /[0-9 .-]/.test(shown) ? shown : reference;
  });
  const named = digits.replaceAll(
    ELEMENT,
    (all, name: string, attributes: string, joint: string, content: string) => {
      const shown = maskedByName(content, meaningOf(name));
      return shown === content ? all : `<${name}${attributes}>${joint}${shown}`;
    },
  );
  const masked = maskCardText(named);
  return masked === digits ? text : masked;
}

function maskedByName(text: string, meaning: ReturnType<typeof meaningOf>): string {
  switch (meaning) {
    case "number":
      return maskNumber(text);
    case "secret":
      return /[0-9]/.test(text) ? HIDDEN : text;
    case "reference":
      return text;
    default:
      return maskCardText(text);
  }
}

/** @returns undefined for what is no form. */
function maskedForm(text: string, within: Within): string | undefined {
  const form = formOf(text.trim());
  if (form === undefined) {
    return undefined;
  }
  const masked = maskValue(form, within) as Record<string, string>;
  return masked === form
    ? text
    : Object.entries(masked)
        .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
        .join("&");
}

function formOf(text: string): Record<string, string> | undefined {
  try {
    return parseForm(text);
  } catch {
    return undefined;
  }
}

/** By the names of columns, so that a column of references keeps its digits. Text that is no table is masked as a whole. */
function maskedTable(text: string): string {
  try {
    const { delimiter, lines } = parseTable(text.replace(/^\ufeff/, ""));
    const meanings = (lines[0] ?? []).map((cell) => meaningOf(columnName(cell)));
    const masked = lines.map((line, row) =>
      line.map((cell, column) =>
        row === 0 ? maskCardText(cell) : maskedByName(cell, meanings[column] ?? "free"),
      ),
    );
    const changed = masked.some((line, row) => line.some((cell, column) => cell !== lines[row]?.[column]));
    return changed
      ? masked.map((line) => line.map((cell) => quoted(cell, delimiter)).join(delimiter)).join("\n")
      : text;
  } catch {
    return maskedPercents(text);
  }
}

function quoted(cell: string, delimiter: string): string {
  return cell.includes(delimiter) || /["\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

/** Percent-encoded text, where a `%3D` right before a number would hide where it begins. */
function maskedPercents(text: string): string {
  const masked = maskCardText(text);
  if (!/%[0-9A-Fa-f]{2}/.test(masked)) {
    return masked;
  }
  const decoded = percentDecoded(masked);
  const shown = maskCardText(decoded);
  return shown === decoded ? masked : encodeURIComponent(shown);
}

/** What is encoded is encoded again once it is masked. */
function maskedBase64(text: string, within: Within): string {
  return text.length < 16
    ? text
    : text.replaceAll(BASE64, (found) => {
        const lines = found.split(LINES);
        const together = maskedRun(lines.join(""), within);
        // Lines that look like one document may be one each.
        return together ?? (lines.length === 1 ? found : maskedLines(found, lines, within));
      });
}

function maskedLines(found: string, lines: readonly string[], within: Within): string {
  const masked = lines.map((line) => (line.length < 16 ? undefined : maskedRun(line, within)));
  return masked.every((line) => line === undefined)
    ? found
    : lines.map((line, index) => masked[index] ?? line).join("\n");
}

/** @returns undefined where nothing of it is a card's */
function maskedRun(run: string, within: Within): string | undefined {
  const begins = (DIGITS.exec(run)?.index ?? 0) % 4;
  for (const from of new Set([0, begins])) {
    const encoded = run.slice(from);
    const decoded = decodedBase64(encoded);
    // Ids of the same alphabet decode to bytes that are no text, in which there is no document.
    const inner = NO_TEXT.test(decoded.text) || isBare(decoded.text) ? undefined : deeper(within);
    const text = inner === undefined ? maskCardText(decoded.text) : maskedText(decoded.text, inner);
    if (text !== decoded.text) {
      return run.slice(0, from) + encodedAs(encoded, { ...decoded, text });
    }
  }
  return undefined;
}
