import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AHEAD_MS, isAhead, madeBefore, newestFirst, timeOf, unplaced } from "./newest.js";

const NOW = Date.parse("2026-11-22T12:00:00Z");
const HOUR = 3_600_000;

interface Made {
  readonly id: string;
  readonly manifest: { readonly madeAfter: string[] };
}

/** Backups made one after the other, each by a clock that says so many hours from now. */
function made(...hours: number[]): Made[] {
  const backups: Made[] = [];
  for (const hour of hours) {
    const id = `dump-${new Date(NOW + hour * HOUR).toISOString().replaceAll(/[-:.]/g, "")}`;
    backups.push({ id, manifest: { madeAfter: madeBefore(backups, id) } });
  }
  return backups;
}

const hoursOf = (backups: readonly { id: string }[]) => backups.map(({ id }) => (timeOf(id) - NOW) / HOUR);

describe("newestFirst", () => {
  it("is the order of their times where clocks were right, and nothing more is written down", () => {
    const backups = made(-48, -24, -1);
    expect(backups.flatMap(({ manifest }) => manifest.madeAfter)).toEqual([]);
    expect(hoursOf(newestFirst(backups, NOW))).toEqual([-1, -24, -48]);
  });

  it("is the order of their making after a clock that was ahead, also when that time has come", () => {
    const backups = made(-48, 8_760, -24, -1);
    expect(hoursOf(newestFirst(backups, NOW))).toEqual([-1, -24, 8_760, -48]);
    expect(hoursOf(newestFirst(backups, NOW + 9_000 * HOUR))).toEqual([-1, -24, 8_760, -48]);
    expect(unplaced(backups, NOW)).toEqual([]);
  });

  it("is the order of their making after a clock that was behind, and while it is", () => {
    const backups = made(-48, -24, -50_000, -49_990);
    expect(hoursOf(newestFirst(backups, NOW))).toEqual([-49_990, -50_000, -24, -48]);
    expect(hoursOf(newestFirst(backups, NOW - 49_980 * HOUR))).toEqual([-49_990, -50_000, -24, -48]);
  });

  it("puts last what is ahead and without a place, and alone it is all there is", () => {
    const backups = made(-48, -24, 8_760);
    expect(hoursOf(newestFirst(backups, NOW))).toEqual([-24, -48, 8_760]);
    expect(hoursOf(unplaced(backups, NOW))).toEqual([8_760]);
    expect(hoursOf(newestFirst(made(10, 20), NOW))).toEqual([20, 10]);
  });

  it("places one that says nothing by its time, between those that say what they were made after", () => {
    const [ahead, later] = made(-1, -48) as [Made, Made];
    const copied = { id: made(-24)[0]?.id ?? "", manifest: undefined };
    for (const backups of [
      [ahead, later, copied],
      [copied, ahead, later],
      [later, copied, ahead],
    ]) {
      expect(hoursOf(newestFirst(backups, NOW))).toEqual([-24, -48, -1]);
    }
  });

  it("puts what was made after one of a time to come before it, also when neither has a place", () => {
    expect(hoursOf(newestFirst(made(-1, 30, 20), NOW))).toEqual([-1, 20, 30]);
  });

  it("does without manifests", () => {
    const backups = made(-3, -2, -1).map((each) => ({ ...each, manifest: undefined }));
    expect(hoursOf(newestFirst(backups, NOW))).toEqual([-1, -2, -3]);
  });

  it("whatever the clock said and in whatever order they are listed, is the order of their making", () => {
    const hours = fc.uniqueArray(fc.integer({ min: -10_000, max: -1 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(hours, fc.func(fc.nat()), (drawn, shuffle) => {
        const shuffled = made(...drawn).sort((a, b) => shuffle(a.id) - shuffle(b.id));
        expect(hoursOf(newestFirst(shuffled, NOW))).toEqual([...drawn].reverse());
      }),
    );
  });

  it("whatever was copied in, taken away or written by older code, holds to every madeAfter, however they are listed", () => {
    const idsAt = (hours: number[]) =>
      made(...hours).map(({ id }, i) => ((hours[i] ?? 0) % 2 === 0 ? id : id.replace("dump", "base")));
    const hour = fc.integer({ min: -20, max: 20 });
    const drawn = fc.uniqueArray(hour, { minLength: 1, maxLength: 12 }).chain((hours) =>
      fc.tuple(...hours.map(() => fc.option(fc.subarray(hours), { nil: undefined }))).map((after) =>
        hours.map((at, i) => {
          // Of any it may be said; of later times it counts.
          const manifest = after[i] === undefined ? undefined : { madeAfter: idsAt(after[i]) };
          return { id: idsAt([at])[0] ?? "", manifest };
        }),
      ),
    );
    const later = (a: string, b: string) => a.slice(5) > b.slice(5);
    fc.assert(
      fc.property(
        drawn.chain((backups) =>
          fc.tuple(fc.constant(backups), fc.shuffledSubarray(backups, { minLength: backups.length })),
        ),
        ([backups, shuffled]) => {
          const ids = newestFirst(backups, NOW).map(({ id }) => id);
          expect([...ids].sort()).toEqual(backups.map(({ id }) => id).sort());
          expect(newestFirst(shuffled, NOW).map(({ id }) => id)).toEqual(ids);
          for (const { id, manifest } of backups) {
            for (const before of manifest?.madeAfter.filter((other) => later(other, id)) ?? []) {
              expect(ids.indexOf(before) === -1 || ids.indexOf(id) < ids.indexOf(before)).toBe(true);
            }
          }
        },
      ),
    );
  });
});

describe("isAhead", () => {
  it("allows what two clocks may differ by, and holds no nonsense for a time", () => {
    const at = (ms: number) => `base-${new Date(NOW + ms).toISOString().replaceAll(/[-:.]/g, "")}`;
    expect(isAhead(at(AHEAD_MS), NOW)).toBe(false);
    expect(isAhead(at(AHEAD_MS + 1), NOW)).toBe(true);
    expect(isAhead("dump-99999999T999999999Z", NOW)).toBe(true);
  });
});
