/**
 * A number of a JSON text that a JavaScript number would not give back as it was written: 9007199254740993, 1e400, 100.50.
 * Other numbers are plain ones: `z.number()` takes those and refuses this, so no digit is lost unnoticed.
 */
export class JsonNumber {
  /** As it was written. */
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** For logs, and whoever else uses `JSON.stringify`: the text, since a number would be another one. */
  toJSON(): string {
    return this.text;
  }
}

/** The text of a number as it was written, whichever way `parseJson` gave it; anything else is given back. */
export function numberText(value: unknown): unknown {
  if (value instanceof JsonNumber) {
    return value.text;
  }
  return typeof value === "number" || typeof value === "bigint" ? String(value) : value;
}

/**
 * JSON text as of `JSON.stringify`, but without loss: a bigint and a `JsonNumber` become numbers with all their digits.
 *
 * @throws TypeError for what JSON has no text for (NaN, Infinity, a function), where `JSON.stringify` writes null or nothing.
 */
export function writeJson(value: unknown): string {
  if (typeof value === "string" || typeof value === "boolean" || value === null) {
    return JSON.stringify(value);
  }
  if (typeof value === "bigint" || (typeof value === "number" && Number.isFinite(value))) {
    return String(value);
  }
  if (value instanceof JsonNumber) {
    return value.text;
  }
  if (Array.isArray(value)) {
    return `[${value.map(writeJson).join(",")}]`;
  }
  if (value instanceof Date) {
    return JSON.stringify(value);
  }
  if (typeof value !== "object") {
    throw new TypeError(`JSON has no text for this ${typeof value}.`);
  }
  let members = "";
  for (const [name, member] of Object.entries(value)) {
    if (member !== undefined) {
      members += `${members === "" ? "" : ","}${JSON.stringify(name)}:${writeJson(member)}`;
    }
  }
  return `{${members}}`;
}
