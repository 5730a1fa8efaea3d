import { expect, it } from "vitest";
import { lagOf } from "./get_report.js";

it("the lag is what waits and what is parked, and since when; nobody knows without the broker", () => {
  const asOf = new Date(Date.now() - 60_000);
  expect(lagOf({ parked: 0, waiting: 0, asOf })).toBe("events=0, ms=0");
  expect(lagOf({ parked: 1, waiting: 2, asOf })).toMatch(/^events=3, ms=6\d{4}$/);
  expect(lagOf({ parked: 1, waiting: undefined, asOf })).toBe("unknown");
});
