import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Candidate, expired, type Keep } from "./retention.js";

const KEEP: Keep = { daily: 7, weekly: 4, monthly: 6 };
const DAY_MS = 86_400_000;

/** Newest first, as they are listed. */
const listed = (candidates: Candidate[]) => [...candidates].sort((a, b) => (a.at < b.at ? 1 : -1));

/** One backup a day at noon, `days` of them, the last on Sunday 2026-11-22. */
function daily(days: number): Candidate[] {
  return Array.from({ length: days }, (_, i) => {
    const at = new Date(Date.UTC(2026, 10, 22, 12) - (days - 1 - i) * DAY_MS).toISOString();
    return { id: at.slice(0, 10), at, verifiedAt: null };
  });
}

function kept(candidates: Candidate[], keep = KEEP): string[] {
  const gone = new Set(expired(listed(candidates), keep));
  return candidates.map(({ id }) => id).filter((id) => !gone.has(id));
}

describe("expired", () => {
  it("keeps the last of 7 days, 4 weeks and 6 months", () => {
    expect(kept(daily(400))).toEqual([
      ...["2026-06-30", "2026-07-31", "2026-08-31", "2026-09-30", "2026-10-31"],
      // Sundays end a week.
      ...["2026-11-01", "2026-11-08", "2026-11-15"],
      ...["2026-11-16", "2026-11-17", "2026-11-18", "2026-11-19", "2026-11-20", "2026-11-21", "2026-11-22"],
    ]);
  });

  it("keeps of a day the last one", () => {
    const hours = ["03", "23", "11"].map((hour) => ({
      id: hour,
      at: `2026-11-22T${hour}:00:00`,
      verifiedAt: null,
    }));
    expect(kept(hours)).toEqual(["23"]);
  });

  it("counts days that have a backup, so that an outage does not age them away", () => {
    expect(kept(daily(3).map((each) => ({ ...each, at: each.at.replace("2026", "2020") })))).toHaveLength(3);
  });

  it("never lets the last verified one go, however old", () => {
    const all = daily(400).map((each, i) => ({ ...each, verifiedAt: i === 3 || i === 5 ? "then" : null }));
    expect(kept(all)).toContain(all[5]?.id);
    expect(kept(all)).not.toContain(all[3]?.id);
  });

  it("goes by the order in which they were made, so that a clock that was behind does not cost the newest", () => {
    const behind = { id: "newest", at: "2020-01-01T00:00:00", verifiedAt: null };
    const gone = expired([behind, ...listed(daily(10))], { daily: 2, weekly: 0, monthly: 0 });
    expect(gone).not.toContain("newest");
    expect(gone).not.toContain("2026-11-22");
    expect(gone).toHaveLength(9);
    expect(expired([behind, ...listed(daily(10))], { daily: 0, weekly: 0, monthly: 0 })).toHaveLength(10);
  });

  it("of any set keeps the newest one and the newest verified one, and no more than was asked for", () => {
    const candidate = fc.record({
      at: fc.date({ min: new Date("2020-01-01"), max: new Date("2030-01-01"), noInvalidDate: true }),
      verified: fc.boolean(),
    });
    const keep = fc.record({ daily: fc.integer({ min: 1, max: 9 }), weekly: fc.nat(5), monthly: fc.nat(7) });
    fc.assert(
      fc.property(
        fc.uniqueArray(candidate, { selector: ({ at }) => at.getTime() }),
        keep,
        (drawn, numbers) => {
          const all = drawn.map(({ at, verified }, i) => ({
            id: String(i),
            at: at.toISOString(),
            verifiedAt: verified ? "then" : null,
          }));
          const left = new Set(kept(all, numbers));
          const newest = listed(all)[0];
          const proven = listed(all).find((each) => each.verifiedAt !== null);
          if (newest) {
            expect(left).toContain(newest.id);
          }
          if (proven) {
            expect(left).toContain(proven.id);
          }
          const most = numbers.daily + numbers.weekly + numbers.monthly + 2;
          expect(left.size).toBeLessThanOrEqual(most);
        },
      ),
    );
  });
});
