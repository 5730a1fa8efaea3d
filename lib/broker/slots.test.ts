import { expect, it } from "vitest";
import { Slots } from "./slots.js";

it("runs as many at a time as it has, in order, also after failures", async () => {
  const slots = new Slots(3);
  const started: number[] = [];
  let running = 0;
  let most = 0;
  const runs = Array.from({ length: 20 }, (_, index) =>
    slots.run(async () => {
      started.push(index);
      running += 1;
      most = Math.max(most, running);
      await new Promise(setImmediate);
      running -= 1;
      if (index % 4 === 0) {
        throw new Error("task failed");
      }
      return index;
    }),
  );
  const results = await Promise.allSettled(runs);
  expect(most).toBe(3);
  expect(started).toEqual(Array.from({ length: 20 }, (_, index) => index));
  expect(results.filter((result) => result.status === "rejected")).toHaveLength(5);
});
