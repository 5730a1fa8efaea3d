import { hash } from "node:crypto";

/** Between 0 and 1; the same for the same seed and words, whenever and in whatever order it is asked for. */
export function chance(seed: number, ...words: readonly (string | number)[]): number {
  return hash("sha1", `${seed} ${words.join(" ")}`, "buffer").readUInt32BE(0) / 2 ** 32;
}
