import { randomFillSync } from "node:crypto";

/** Asked for in bulk: a call of its own for each id takes 3 to 5 µs, of the 100 that a request may take. */
const random = Buffer.alloc(4_096);
let used = random.length;

/** Random bytes, to be read at once: their place is filled anew later. */
export function randomOctets(count: number): Buffer {
  if (used + count > random.length) {
    randomFillSync(random);
    used = 0;
  }
  used += count;
  return random.subarray(used - count, used);
}

/** Random bytes, as hex digits. */
export const randomHex = (bytes: number): string => randomOctets(bytes).toString("hex");
