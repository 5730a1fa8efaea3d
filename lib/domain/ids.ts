import { hash } from "node:crypto";
import { v7 } from "uuid";
import { randomOctets } from "./random.js";

/** Of ids that follow from others. Any constant. */
const NAMESPACE = Buffer.from("c2c5e3b43a584d0e9a7e6f0f5b8a4e10", "hex");

/** What orders the ids of this process, also within a millisecond and when the clock goes back. */
let lastMs = 0;
let sequence = 0;

/**
 * A UUIDv7 that is new, and greater than all before it of this process. `v7()` of npm uuid does the same, and asks for random bytes
 * each time: 4.9 µs in place of 0.4.
 */
export function newId(): string {
  const random = randomOctets(16);
  const nowMs = Date.now();
  if (nowMs > lastMs) {
    lastMs = nowMs;
    sequence = random.readUInt32BE() >>> 1; // half of what there is stays for those that follow
  } else {
    sequence += 1;
  }
  return v7({ random, msecs: lastMs, seq: sequence });
}

/**
 * The same id, a UUIDv5, whenever it is asked for: of a message that follows from another one, however often that comes. Made here
 * because each event takes one: `v5` of npm uuid takes five times as long.
 *
 * @param cause what it follows from, e.g. a message's id
 * @param purpose tells followers of one cause apart
 */
export function derivedId(cause: string, purpose: string): string {
  const hex = hash("sha1", Buffer.concat([NAMESPACE, Buffer.from(`${purpose} ${cause}`)]), "hex");
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16);
  const parts = [hex.slice(0, 8), hex.slice(8, 12), `5${hex.slice(13, 16)}`];
  return `${parts.join("-")}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** Without regard to its version. */
export const isUuid = (text: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);

/** Where a walk from the newest to the oldest begins: no id comes after it. */
export const LAST_ID = "ffffffff-ffff-ffff-ffff-ffffffffffff";

/** The 32 hex digits of a uuid: a column of that type keeps a trace id in half of its bytes. */
export const hexOf = (uuid: string): string => uuid.replaceAll("-", "");
