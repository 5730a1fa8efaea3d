import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Pool } from "../postgres/pool.js";
import type { Settings } from "../settings/base.js";
import type { Runtime } from "./module.js";
import { replicaReads } from "./replica_reads.js";
import { ANSWER_MS } from "./replicas.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const poolThat = (query: () => Promise<unknown>) => ({ query }) as unknown as Pool;

/** A read on a replica that is fit and does as `there` says: what came of it, and what was held against the replica. */
async function read(there: () => Promise<unknown>) {
  const failures: unknown[] = [];
  const replica = { place: { host: "db2", port: 5432 } };
  const runtime = {
    settings: {} as Settings,
    messages: { replicaReads: { inc: () => undefined } },
    replicas: {
      forReading: () => [replica],
      next: () => replica,
      failed: (_: unknown, error: unknown) => failures.push(error),
    },
  } as unknown as Runtime;
  const primary = poolThat(async () => "the primary's");
  const { reads } = replicaReads(runtime, { service: "s", primary, poolAt: () => poolThat(there) });
  const answer = reads.query("SELECT");
  await vi.advanceTimersByTimeAsync(ANSWER_MS);
  return { answer: (await answer) as unknown, failures };
}

it("a replica answers", async () => {
  expect(await read(async () => "the replica's")).toEqual({ answer: "the replica's", failures: [] });
});

it("one that fails is not read any more, and the primary answers", async () => {
  const away = new Error("connection lost");
  expect(await read(() => Promise.reject(away))).toEqual({ answer: "the primary's", failures: [away] });
});

it("one slow statement is the primary's, and no fault of the replica", async () => {
  const { answer, failures } = await read(() => new Promise(() => undefined));
  expect({ answer, failures }).toEqual({ answer: "the primary's", failures: [] });
});
