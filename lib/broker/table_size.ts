/** Bytes that a value takes in an AMQP table, tag included; of a number the most that one may take. */
function encodedBytes(value: unknown): number {
  if (typeof value === "string") {
    return 5 + Buffer.byteLength(value);
  }
  if (Buffer.isBuffer(value)) {
    return 5 + value.length;
  }
  if (Array.isArray(value)) {
    return value.reduce((sum: number, each) => sum + encodedBytes(each), 5);
  }
  if (typeof value === "object" && value !== null) {
    return Object.entries(value).reduce((sum, [name, each]) => sum + entryBytes(name, each), 5);
  }
  return 9;
}

/** The same for an entry with its name. */
export function entryBytes(name: string, value: unknown): number {
  return 1 + Buffer.byteLength(name) + encodedBytes(value);
}
