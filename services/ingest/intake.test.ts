import { expect, it } from "vitest";
import { createRegistry, register } from "../../lib/observability/registry.js";
import type { Pool } from "../../lib/postgres/pool.js";
import { unprocessed } from "./domain/normalise.js";
import { Intake } from "./intake.js";
import { ingestMetrics } from "./metrics.js";

/** A database that refuses bodies whose hint is `poison`, and whatever is with them. */
function refusing(code: string): Pool {
  const query = async (statement: string | { name?: string; values?: unknown[][] }) => {
    const { name = "", values = [] } = typeof statement === "string" ? {} : statement;
    if (name === "ingest_enter_bodies" && values[4]?.includes("poison")) {
      throw Object.assign(new Error("refused"), { code });
    }
    return { rows: [], rowCount: values[0]?.length ?? 0 };
  };
  return {
    query,
    connect: async () => ({ query, release: () => undefined, on: () => undefined, off: () => undefined }),
  } as unknown as Pool;
}

const intakeOf = (pool: Pool) =>
  new Intake({
    pool,
    connections: 1,
    metrics: register(createRegistry(), ingestMetrics),
    normaliser: {
      normalise: async (bodies) =>
        bodies.map(() => [{ ...unprocessed("UNRECOGNISED", "none", null), index: 0 }]),
    },
  });
const arrival = (hint: string) => ({ raw: { value: { a: 1 } }, source: "api", hint });
const outcomes = async (code: string, count: number) => {
  const intake = intakeOf(refusing(code));
  const hints = [...Array.from({ length: count }, () => "good"), "poison"];
  const taken = await Promise.allSettled(hints.map((hint) => intake.take([arrival(hint)])));
  return taken.map(({ status }) => status);
};

it("what the database refuses of one of a group it takes of the others", async () => {
  expect(await outcomes("22021", 3)).toEqual(["fulfilled", "fulfilled", "fulfilled", "rejected"]);
  expect(await outcomes("57P01", 1)).toEqual(["rejected", "rejected"]);
});

it("the same of a batch that is a transaction of its own: the others are stored, and the call says that one failed", async () => {
  const stored = new Set<unknown>();
  const pool = refusing("22021");
  const intake = intakeOf({
    ...pool,
    connect: async () => {
      const client = await pool.connect();
      const query = async (statement: { name?: string; values?: unknown[][] }) => {
        const result = await client.query(statement as never);
        for (const hint of statement.name === "ingest_enter_bodies" ? (statement.values?.[4] ?? []) : []) {
          stored.add(hint);
        }
        return result;
      };
      return { ...client, query };
    },
  } as unknown as Pool);
  const hints = [...Array.from({ length: 60 }, (_, i) => `p${i}`), "poison"];
  await expect(intake.take(hints.map(arrival))).rejects.toMatchObject({ code: "22021" });
  expect(stored.size).toBe(60);
});
