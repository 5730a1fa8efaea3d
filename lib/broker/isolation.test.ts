import { expect, it } from "vitest";
import { pause } from "../timing.js";
import { Isolation } from "./isolation.js";

it("runs one at a time, in an order of its own, and goes on after a failure", async () => {
  const isolation = new Isolation();
  const order: number[] = [];
  let running = 0;
  let most = 0;
  const runs = Array.from({ length: 12 }, (_, index) =>
    isolation.run(async () => {
      running += 1;
      most = Math.max(most, running);
      order.push(index);
      await pause(50);
      running -= 1;
      if (index % 3 === 0) {
        throw new Error("task failed");
      }
    }),
  );
  const results = await Promise.allSettled(runs);
  expect(most).toBe(1);
  expect(results.filter((result) => result.status === "rejected")).toHaveLength(4);
  const sorted = order.toSorted((a, b) => a - b);
  expect(sorted).toEqual(Array.from({ length: 12 }, (_, index) => index));
  // One in 12! = 479,001,600 runs draws the order of arrival.
  expect(order).not.toEqual(sorted);
});
