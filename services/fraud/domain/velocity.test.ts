import { expect, it } from "vitest";
import { Velocity } from "./velocity.js";

const AT = "2026-03-01T12:00:30Z";

it("counts a customer's payments by minutes of their own time", () => {
  const velocity = new Velocity(2);
  const asked = ["p1", "p2", "p3"].map((payment) => velocity.isTooMany("a", payment, AT));
  expect(asked).toEqual([false, false, true]);
  expect(velocity.isTooMany("b", "p4", AT)).toBe(false);
  expect(velocity.isTooMany("a", "p5", "2026-03-01T12:01:00Z")).toBe(false);
  // Late, of a minute that is forgotten.
  expect(velocity.isTooMany("a", "p6", AT)).toBe(false);
});

it("gives a payment that comes again the same answer", () => {
  const velocity = new Velocity(1);
  const answers = ["p1", "p2", "p1", "p2"].map((payment) => velocity.isTooMany("a", payment, AT));
  expect(answers).toEqual([false, true, false, true]);
});

it("forgets who paid longest ago when there are too many customers", () => {
  const velocity = new Velocity(1, 2);
  for (const customer of ["a", "b", "a", "c"]) {
    velocity.isTooMany(customer, `${customer} again`, customer === "a" ? "2026-03-01T12:01:00Z" : AT);
  }
  expect(velocity.isTooMany("c", "p", AT)).toBe(true);
  expect(velocity.isTooMany("a", "p", "2026-03-01T12:01:00Z")).toBe(false);
});

it("is off at 0", () => {
  const velocity = new Velocity(0);
  expect(velocity.isTooMany("a", "p", AT)).toBe(false);
  expect(velocity.isTooMany("a", "q", AT)).toBe(false);
});
