import type { Texts } from "./route.js";

const NUMBERS: ReadonlySet<string> = new Set(["rows", "seed", "dirt_rate", "fraud_rate", "chunk_rows"]);

/**
 * What a form asks a run to be: `{ rows: "1,000,000", from: "" }` → `{ rows: 1000000 }`. What is left out is as the settings say;
 * what is no number goes as it is, and the server says what is wrong with it.
 */
export function specOf(fields: Texts): Record<string, number | string> {
  const given = Object.entries(fields).filter(([, text]) => text.trim() !== "");
  return Object.fromEntries(
    given.map(([name, text]) => [name, NUMBERS.has(name) ? numberOf(text) : text.trim()]),
  );
}

function numberOf(text: string): number | string {
  const digits = text.replace(/[\s,_]/g, "");
  return /^\d+(\.\d+)?$/.test(digits) ? Number(digits) : text;
}
