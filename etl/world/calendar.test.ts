import fc from "fast-check";
import { expect, it } from "vitest";
import { hourOfWeek, monthsOf } from "./calendar.js";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const isoDay = (ms: number) => new Date(ms).toISOString().slice(0, 10);

it("cuts any window into months without gap or overlap", () => {
  const from = Date.UTC(1975, 0, 1) / DAY_MS;
  fc.assert(
    fc.property(fc.integer({ min: from, max: 45_000 }), fc.integer({ min: 1, max: 800 }), (day, days) => {
      const [start, end] = [day * DAY_MS, (day + days) * DAY_MS];
      const months = monthsOf(isoDay(start), isoDay(end));
      let at = start;
      for (const { month, startMs, cumulative } of months) {
        expect(startMs).toBe(at);
        expect(month).toBe(`${isoDay(at).slice(0, 7)}-01`);
        at += (cumulative.length - 1) * HOUR_MS;
        expect(isoDay(at - 1).slice(0, 7)).toBe(month.slice(0, 7));
        expect(cumulative[0]).toBe(0);
        expect(cumulative.every((weight, h) => h === 0 || weight > (cumulative[h - 1] ?? 0))).toBe(true);
      }
      expect(at).toBe(end);
      expect(new Set(months.map(({ month }) => month)).size).toBe(months.length);
    }),
    { numRuns: 50 },
  );
});

it("weighs an hour of a day by how awake the world is", () => {
  const [june] = monthsOf("2025-06-01", "2025-07-01");
  const weight = (day: number, hour: number) => {
    const h = (day - 1) * 24 + hour;
    return (june?.cumulative[h + 1] ?? 0) - (june?.cumulative[h] ?? 0);
  };
  // Europe's and America's afternoon against the night of both.
  expect(weight(11, 17)).toBeGreaterThan(3 * weight(11, 5));
  expect(weight(13, 17)).toBeGreaterThan(weight(15, 17));
});

it.each([
  ["2025-06-02T00:00:00Z", 0],
  ["2025-06-02T23:59:59.999Z", 23],
  ["2025-06-08T23:30:00Z", 167],
  ["1970-01-01T00:00:00Z", 72],
])("hour of the week of %s", (time, hour) => {
  expect(hourOfWeek(Date.parse(time))).toBe(hour);
});
