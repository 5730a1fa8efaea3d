import { expect, it } from "vitest";
import { lagOf, type Mark } from "./lag.js";

const marks: Mark[] = [
  { atMs: 0, lsn: 100 },
  { atMs: 1_000, lsn: 100 },
  { atMs: 2_000, lsn: 250 },
  { atMs: 3_000, lsn: 400 },
];

it.each<[what: string, replayed: number, nowMs: number, s: number, beyond: boolean]>([
  ["all that there is", 400, 3_010, 0.01, false],
  ["and more", 500, 3_010, 0.01, false],
  ["what was written a second ago", 399, 3_010, 1.01, false],
  ["nothing since an idle primary wrote", 100, 3_010, 2.01, false],
  ["nothing that is known", 99, 3_010, 3.01, true],
  ["all, but nobody has heard of the primary since", 400, 60_000, 57, false],
])("a replica that has replayed %s", (_, replayed, nowMs, s, beyond) => {
  expect(lagOf(marks, replayed, nowMs)).toEqual({ s, beyond });
});

it("of a replica nothing is known before the first mark", () => {
  expect(lagOf([], 100, 5_000)).toEqual({ s: 0, beyond: true });
});
