import { expect, it } from "vitest";
import { maxAttempts, queueNames } from "../lib/broker/topology.js";
import { ETL_QUEUES } from "./queues.js";

it("have the names that users and dashboards rely on", () => {
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
