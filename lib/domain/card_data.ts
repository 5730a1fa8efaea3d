import { type KeyMeaning, meaningOf } from "./card_keys.js";
import { maskNumber, maskNumbersIn } from "./card_numbers.js";
import { JsonNumber, numberText } from "./json.js";

/** Shown in place of a secret. */
const HIDDEN = "***";
/** `cvv=123`, `"cvv": "123"`, `<cvv>123</cvv>`: a name that ends no element, what joins the two, a value. Bounded, so that time is linear. */
const NAMED_VALUE =
  /(?<![\w.:/-])([\w.:-]{2,64})(["']?\s{0,3}[=:>]\s{0,3}["']?)([^\s"'<>&;,{}[\]=/?:]{1,64})/g;

export interface Masked<T> {
  /** The value that was given where nothing had to be masked, else a copy. */
  readonly value: T;
  /** JSON pointers to what was masked. */
  readonly pointers: readonly string[];
}

/**
 * Masks what is a card's in a JSON value: what a key names as a card number or a secret, and digits in free text that are a card
 * number. In ids, references, times and phone numbers digits are left alone. Numbers that are masked become text.
 */
export function maskCardData<T>(value: T): Masked<T> {
  const pointers: string[] = [];
  return { value: masked(value, { key: "", parent: "" }, pointers) as T, pointers };
}

/**
 * For what must hold no card data at all: finds just what `maskCardData` would mask, so what is masked already passes.
 *
 * @returns a JSON pointer to the first of it, undefined where there is none.
 */
export function findCardData(value: unknown): string | undefined {
  return maskCardData(value).pointers[0];
}

/** The same for text of any format: XML, a form, a line of a log. A name counts where it stands right before its value. */
export function maskCardText(text: string): string {
  if (!/[=:>]/.test(text)) {
    return maskNumbersIn(text);
  }
  let shown = "";
  let done = 0;
  for (const { 1: name = "", 2: joint = "", 3: value = "", index } of text.matchAll(NAMED_VALUE)) {
    const meaning = meaningOf(name);
    const shownValue = maskedByName(value, meaning);
    // A number in groups is longer than the value that was found here: it is looked for by its digits.
    if (shownValue !== value || meaning === "reference") {
      const start = index + name.length + joint.length;
      shown += maskNumbersIn(text.slice(done, start)) + shownValue;
      done = start + value.length;
    }
  }
  return shown + maskNumbersIn(text.slice(done));
}

function maskedByName(text: string, meaning: KeyMeaning): string {
  switch (meaning) {
    case "number":
      return maskNumber(text);
    case "secret":
      // Without a digit it is what a check of it gave, such as "M" or "not_provided".
      return /[0-9]/.test(text) ? HIDDEN : text;
    default:
      return text;
  }
}

interface Place {
  readonly key: string;
  /** The key of the object that has the key. */
  readonly parent: string;
}

/** @param pointers gets those below the value: most values have none, and a pointer made for each takes a third of the time */
function masked(value: unknown, place: Place, pointers: string[]): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item, index) => {
      const below = pointers.length;
      const shown = masked(item, place, pointers);
      prefix(pointers, below, String(index));
      return shown;
    });
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  if (typeof value === "object" && value !== null && !(value instanceof JsonNumber)) {
    return maskedObject(value as Record<string, unknown>, place.key, pointers);
  }
  const text = numberText(value);
  if (typeof text !== "string" || !/[0-9]/.test(text)) {
    return value;
  }
  const meaning = meaningOf(place.key, place.parent);
  const shown = meaning === "free" ? maskCardText(text) : maskedByName(text, meaning);
  if (shown === text) {
    return value;
  }
  pointers.push("");
  return shown;
}

function maskedObject(object: Record<string, unknown>, parent: string, pointers: string[]): object {
  let changed = false;
  const members = Object.entries(object).map(([key, member]) => {
    const below = pointers.length;
    const name = maskNumbersIn(key);
    if (name !== key) {
      pointers.push("");
    }
    const shown = masked(member, { key, parent }, pointers);
    prefix(pointers, below, name);
    changed ||= shown !== member || name !== key;
    return [name, shown] as const;
  });
  return changed ? Object.fromEntries(members) : object;
}

/** Those from `below` on are found under a name. */
function prefix(pointers: string[], below: number, name: string): void {
  for (let at = below; at < pointers.length; at += 1) {
    pointers[at] = `/${name.replaceAll("~", "~0").replaceAll("/", "~1")}${pointers[at]}`;
  }
}
