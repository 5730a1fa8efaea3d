import { hash } from "node:crypto";

/** SHA-256 of a value's canonical JSON: the same for the same content, whatever the order of its fields was. */
export function fingerprintOf(value: unknown): Buffer {
  return hash("sha256", canonicalJson(value), "buffer");
}

/** JSON with its fields in order and without blanks, as RFC 8785 has it but for numbers: a bigint is written in full. */
export function canonicalJson(value: unknown): string {
  if (typeof value === "bigint") {
    return value.toString();
  }
  if (typeof value !== "object" || value === null) {
    return JSON.stringify(value) ?? "null";
  }
  if (Array.isArray(value)) {
    return `[${value.map(canonicalJson).join(",")}]`;
  }
  if ("toJSON" in value && typeof value.toJSON === "function") {
    return canonicalJson(value.toJSON());
  }
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, field]) => `${JSON.stringify(name)}:${canonicalJson(field)}`);
  return `{${fields.join(",")}}`;
}
