import { CoreError } from "../core_errors.js";

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];
const [TAB, NEWLINE, RETURN, SPACE] = [0x09, 0x0a, 0x0d, 0x20];
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/**
 * The items of a JSON list, each as it stands in the text; of an object that object alone. What is wrong within an item its own
 * reader finds, and its neighbours are as good as before.
 *
 * @param max of items
 * @throws CoreError MESSAGE_MALFORMED for what is neither a list nor an object, or does not end; MESSAGE_TOO_LARGE
 */
export function jsonItems(text: Buffer, max: number): readonly Buffer[] {
  let at = skipBlanks(text, text.subarray(0, 3).equals(BYTE_ORDER_MARK) ? 3 : 0);
  if (text[at] === OPEN_OBJECT) {
    return [text.subarray(at)];
  }
  if (text[at] !== OPEN_ARRAY) {
    throw malformed("it is neither an object nor a list");
  }
  const items: Buffer[] = [];
  const first = skipBlanks(text, at + 1);
  if (text[first] === CLOSE_ARRAY) {
    return requireEnd(text, first + 1, items);
  }
  let start = at + 1;
  let depth = 0;
  for (at = start; at < text.length; at++) {
    const byte = text[at];
    if (byte === QUOTE) {
      at = endOfString(text, at);
    } else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) {
      depth += 1;
    } else if (depth > 0 && (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT)) {
      depth -= 1;
    } else if (depth === 0 && (byte === COMMA || byte === CLOSE_ARRAY)) {
      items.push(text.subarray(start, at));
      if (items.length > max) {
        throw new CoreError("MESSAGE_TOO_LARGE", `The list has more than ${max} items.`);
      }
      if (byte === CLOSE_ARRAY) {
        return requireEnd(text, at + 1, items);
      }
      start = at + 1;
    }
  }
  throw malformed("its list does not end");
}

function requireEnd(text: Buffer, at: number, items: readonly Buffer[]): readonly Buffer[] {
  if (skipBlanks(text, at) < text.length) {
    throw malformed("something follows its end");
  }
  return items;
}

/** @returns where its closing quote is, or the end of the text. */
function endOfString(text: Buffer, open: number): number {
  let at = open + 1;
  while (at < text.length && text[at] !== QUOTE) {
    at += text[at] === BACKSLASH ? 2 : 1;
  }
  return at;
}

function skipBlanks(text: Buffer, from: number): number {
  let at = from;
  while (text[at] === SPACE || text[at] === NEWLINE || text[at] === RETURN || text[at] === TAB) {
    at += 1;
  }
  return at;
}

const malformed = (what: string) => new CoreError("MESSAGE_MALFORMED", `body is not JSON: ${what}.`);
