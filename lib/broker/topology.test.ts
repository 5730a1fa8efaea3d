import { expect, it } from "vitest";
import { queueFamily } from "./topology.js";

it("names delays below a second too", () => {
  expect(queueFamily("q", { ladderMs: [100, 1_500] }).ladder.map((rung) => rung.queue)).toEqual([
    "q.retry.100ms",
    "q.retry.1500ms",
  ]);
});
