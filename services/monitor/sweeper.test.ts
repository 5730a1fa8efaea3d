import { expect, it } from "vitest";
import type { Publisher } from "../../lib/broker/publisher.js";
import { silentLogger } from "../../lib/observability/log.js";
import type { Pool } from "../../lib/postgres/pool.js";
import { Sweeper } from "./sweeper.js";

const SETTLE_MS = 15_000;
const over = AbortSignal.abort();

/** A window is over, and undecided. @param broker how it stands with it */
function sweeping(broker: { upForMs: number; isWritable: boolean; fails: boolean }) {
  const asked: string[] = [];
  const published: unknown[] = [];
  const query = async (statement: { name: string } | string) => {
    const name = typeof statement === "string" ? statement : statement.name;
    asked.push(name);
    return { rows: name === "monitor_count_due" ? [{ pending: 1, unknown: 0 }] : [], rowCount: 1 };
  };
  const pool = { query, connect: async () => ({ query, release: () => undefined }) } as unknown as Pool;
  const publisher = {
    get upForMs() {
      return broker.upForMs;
    },
    get isWritable() {
      return broker.isWritable;
    },
    publishAll: async (messages: readonly unknown[]) => {
      if (broker.fails) {
        throw new Error("no confirm");
      }
      published.push(...messages);
    },
  };
  const sweeper = new Sweeper({
    ...{ pool, logger: silentLogger, webhook: false, everyMs: 1_000, unknownAfterS: 60, settleMs: SETTLE_MS },
    publisher: publisher as unknown as Publisher,
  });
  return { sweep: () => sweeper.sweep({ waitMs: 0, ending: over }), asked, published };
}

it("sends a marker only once the broker has been there for long enough", async () => {
  const broker = { upForMs: SETTLE_MS - 1, isWritable: true, fails: false };
  const { sweep, published } = sweeping(broker);
  await sweep();
  expect(published).toEqual([]);
  broker.upForMs = SETTLE_MS;
  broker.isWritable = false;
  await sweep();
  expect(published).toEqual([]);
  broker.isWritable = true;
  await sweep();
  expect(published).toHaveLength(1);
});

it("forgets a marker that was not confirmed, and sends none for a while", async () => {
  const broker = { upForMs: SETTLE_MS, isWritable: true, fails: true };
  const { sweep, asked, published } = sweeping(broker);
  await sweep();
  expect(asked).toContain("monitor_forget_marker");
  broker.fails = false;
  await sweep();
  expect(published).toEqual([]);
});
