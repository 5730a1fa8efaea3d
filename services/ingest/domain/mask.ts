import { maskCardData, maskCardText } from "../../../lib/domain/card_data.js";
import { meaningOf } from "../../../lib/domain/card_keys.js";
import { maskNumber } from "../../../lib/domain/card_numbers.js";
import { JsonNumber, writeJson } from "../../../lib/domain/json.js";
import { parseJson } from "../../../lib/domain/json_parse.js";
import { columnName, parseTable } from "./csv.js";
import { MAX_BYTES, MAX_DEPTH, type RawBody } from "./document.js";
import { parseForm, percentDecoded } from "./form.js";

/** Shown in place of a secret, as in `lib/domain/card_data`. */
const HIDDEN = "***";
/** Documents are sent within documents, as base64 within JSON within a form; deeper ones were never seen. */
const MAX_NESTING = 3;
/** Of 16 characters and more, which are 12 encoded: no shorter one has a name and a secret. */
const BASE64 = /(?<![A-Za-z0-9+/_=-])[A-Za-z0-9+/_-]{16,}={0,2}(?![A-Za-z0-9+/_=-])/g;
/** What bytes give that are no UTF-8, or no text. */
const NO_TEXT = /[\ufffd]|(?![\t\n\r])\p{Cc}/u;
/** An element with text of its own, in CDATA or not. Bounded, so that time is linear. */
const ELEMENT =
  /<([A-Za-z_][\w.:-]{0,63})((?:\s[^<>]{0,1000})?)>(\s{0,100}(?:<!\[CDATA\[)?)([^<>[\]]{1,100})(?=(?:\]\]>)?\s{0,100}<\/)/g;

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
  const value = maskValue(body.value, 0);
  return value === body.value ? body : { value };
}

/** The same of text of any format. Of text that is longer than a body may be nothing is read but its numbers. */
export function maskText(text: string): string {
  return text.length > MAX_BYTES ? maskCardText(text) : maskedText(text, 0);
}

function maskValue(value: unknown, nesting: number): unknown {
  return maskStrings(maskCardData(value).value, nesting);
}

/** What strings have within them. The rest of a value is done by its keys. */
function maskStrings(value: unknown, nesting: number): unknown {
  if (typeof value === "string") {
    return maskedWithin(value, nesting);
  }
  if (typeof value !== "object" || value === null || value instanceof JsonNumber) {
    return value;
  }
  if (Array.isArray(value)) {
    const items = value.map((item) => maskStrings(item, nesting));
    return items.every((item, index) => item === value[index]) ? value : items;
  }
  const entries = Object.entries(value);
  const masked = entries.map(([key, member]) => [key, maskStrings(member, nesting)] as const);
  return masked.every(([, member], index) => member === entries[index]?.[1])
    ? value
    : Object.fromEntries(masked);
}

/** A string of a value: only where it is a document itself, or has something encoded, there is more to do than was done. */
function maskedWithin(text: string, nesting: number): string {
  if (text.length < 13 || nesting >= MAX_NESTING) {
    return text;
  }
  return /^\s*[<{[]|[\n%&]/.test(text) ? maskedText(text, nesting + 1) : maskedBase64(text, nesting);
}

function maskedText(text: string, nesting: number): string {
  const plain = maskedBase64(text, nesting);
  switch (
    plain
      .replace(/^\ufeff/, "")
      .trimStart()
      .charAt(0)
  ) {
    case "{":
    case "[":
      return maskedJson(plain, nesting);
    case "<":
      return maskedXml(plain);
    default:
      return maskedForm(plain, nesting) ?? maskedTable(plain);
  }
}

function maskedJson(text: string, nesting: number): string {
  try {
    const value = parseJson(text, { maxDepth: MAX_DEPTH });
    const masked = maskValue(value, nesting);
    return masked === value ? text : writeJson(masked);
  } catch {
    // Digits may be written as escapes in what is no JSON as well.
    return maskCardText(text.replaceAll(/\\u003([0-9])/g, "$1"));
  }
}

/** An element is named where it begins, and its attributes stand between its name and its text. */
function maskedXml(text: string): string {
  const digits = text.replaceAll(
    /&#(?:x0{0,4}3([0-9])|0{0,4}(4[89]|5[0-7]));/gi,
    (_, hex?: string, code?: string) => hex ?? String.fromCharCode(Number(code)),
  );
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
function maskedForm(text: string, nesting: number): string | undefined {
  const form = formOf(text.trim());
  if (form === undefined) {
    return undefined;
  }
  const masked = maskValue(form, nesting) as Record<string, string>;
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
function maskedBase64(text: string, nesting: number): string {
  if (nesting >= MAX_NESTING || text.length < 16) {
    return text;
  }
  return text.replaceAll(BASE64, (encoded) => {
    const bytes = Buffer.from(encoded, "base64");
    const decoded = bytes.toString("utf8");
    // Ids of the same alphabet decode to bytes that are no text.
    if (NO_TEXT.test(decoded)) {
      return encoded;
    }
    const masked = maskedText(decoded, nesting + 1);
    return masked === decoded ? encoded : Buffer.from(masked, "utf8").toString("base64");
  });
}
