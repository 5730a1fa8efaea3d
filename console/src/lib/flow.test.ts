import { expect, it } from "vitest";
import type { Queue } from "../../../services/console/contracts/overview.js";
import { loadOf } from "./flow.js";

const queue = (name: string, kind: Queue["kind"], messages: number, consumers = 1): Queue => ({
  name,
  module: "wallet",
  kind,
  messages,
  consumers,
});

it("sums a module's queues by kind, and nobody else's", () => {
  const queues = [
    queue("a", "work", 3),
    queue("b", "work", 4),
    queue("wallet.retry.2s", "retry", 2, 0),
    queue("wallet.dlq", "dead_letters", 5, 0),
    { ...queue("c", "work", 100), module: "fraud" },
  ];
  expect(loadOf("wallet", queues)).toEqual({
    waiting: 7,
    retried: 2,
    dead: 5,
    unattended: false,
    deadQueue: "wallet.dlq",
  });
});

it("tells an empty queue from no queue", () => {
  expect(loadOf("wallet", [queue("a", "work", 0)])).toMatchObject({
    waiting: 0,
    dead: 0,
    deadQueue: undefined,
  });
  expect(loadOf("fraud", [queue("a", "work", 0)])).toBeNull();
});

it("notices messages that nobody takes, not an empty queue", () => {
  expect(loadOf("wallet", [queue("a", "work", 1, 0)])?.unattended).toBe(true);
  expect(loadOf("wallet", [queue("a", "work", 0, 0)])?.unattended).toBe(false);
});
