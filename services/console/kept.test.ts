import { expect, it } from "vitest";
import { Kept } from "./kept.js";

it("all who ask at a time share a reading, and whoever asks soon after gets what it gave", async () => {
  const kept = new Kept<number>(60_000);
  let readings = 0;
  const read = async () => ++readings;
  expect(await Promise.all([kept.of("a", read), kept.of("a", read)])).toEqual([1, 1]);
  expect([await kept.of("a", read), await kept.of("b", read)]).toEqual([1, 2]);
  kept.forget("a");
  expect(await kept.of("a", read)).toBe(3);
});

it("what failed, and what is too old, is read again", async () => {
  const kept = new Kept<number>(0);
  await expect(kept.of("a", () => Promise.reject(new Error("away")))).rejects.toThrow("away");
  expect(await kept.of("a", async () => 1)).toBe(1);
  expect(await kept.of("a", async () => 2)).toBe(2);
});
