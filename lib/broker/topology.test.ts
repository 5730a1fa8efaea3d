import { expect, it } from "vitest";
import { ETL_QUEUES, maxAttempts, queueFamily, queueNames } from "./topology.js";

it("has the names that users and dashboards rely on", () => {
  expect(queueNames(ETL_QUEUES)).toEqual([
    "etl_queue",
    "etl_queue.dlq",
    "etl_queue.retry.2s",
    "etl_queue.retry.4s",
    "etl_queue.retry.8s",
    "etl_queue.retry.16s",
    "etl_queue.retry.32s",
    "etl_queue.retry.64s",
  ]);
  expect(maxAttempts(ETL_QUEUES)).toBe(7);
});

it("names delays below a second too", () => {
  expect(queueFamily("q", { ladderMs: [100, 1_500] }).ladder.map((rung) => rung.queue)).toEqual([
    "q.retry.100ms",
    "q.retry.1500ms",
  ]);
});
