import { hash } from "node:crypto";
import { randomHex } from "./random.js";

/** Of ids that follow from others. Any constant. */
const NAMESPACE = "c2c5e3b4-3a58-4d0e-9a7e-6f0f5b8a4e10";

let lastMs = 0;
/** Tells ids of a millisecond apart, and orders them. */
let sequence = 0;
const MAX_SEQUENCE = 0xfff;

/**
 * A UUIDv7 that is new, and greater than all before it of this process. Made here, because the library asks for random bytes each
 * time: 3.1 µs in place of 0.4, and a payment has two.
 */
export function newId(): string {
  const now = Date.now();
  if (now > lastMs) {
    lastMs = now;
    // Half of them are free, so that an id tells little of how many there are.
    sequence = Number.parseInt(randomHex(2), 16) & (MAX_SEQUENCE >> 1);
  } else if (sequence < MAX_SEQUENCE) {
    sequence += 1;
  } else {
    lastMs += 1;
    sequence = 0;
  }
  const time = lastMs.toString(16).padStart(12, "0");
  const random = randomHex(8);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${sequence.toString(16).padStart(3, "0")}-${variantOf(random.charAt(0))}${random.slice(1, 4)}-${random.slice(4)}`;
}

/** Namespace and name are hashed as one. Of the name 1 KiB has room here: an id has 255 characters, a purpose fewer. */
const named = Buffer.alloc(16 + 1_024);
named.write(NAMESPACE.replaceAll("-", ""), "hex");

/**
 * The same id whenever it is asked for: of a message that follows from another one, however often that comes. A UUIDv5 by a hash
 * in one call: the library's takes 4.2 µs, this 0.8, and a payment has four.
 *
 * @param cause what it follows from, e.g. a message's id
 * @param purpose tells followers of one cause apart
 */
export function derivedId(cause: string, purpose: string): string {
  const name = `${purpose} ${cause}`;
  const fits = name.length <= 340;
  const bytes = fits
    ? named.subarray(0, 16 + named.write(name, 16))
    : Buffer.concat([named.subarray(0, 16), Buffer.from(name)]);
  const hex = hash("sha1", bytes);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-${variantOf(hex.charAt(16))}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** A UUID has two bits there that say whose layout it is. */
const variantOf = (digit: string): string => "89ab".charAt(Number.parseInt(digit, 16) & 3);
