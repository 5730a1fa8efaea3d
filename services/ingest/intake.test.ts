import { Writable } from "node:stream";
import { expect, it } from "vitest";
import { createRegistry, register } from "../../lib/observability/registry.js";
import type { Pool } from "../../lib/postgres/pool.js";
import { unprocessed } from "./domain/normalise.js";
import { Intake } from "./intake.js";
import { ingestMetrics } from "./metrics.js";

type Statement = string | Writable | { readonly name?: string; readonly values?: unknown[][] };

/** A database that refuses bodies whose hint is `poison`, and whatever is with them; and that takes what is copied. */
function refusing(code: string, stored: unknown[] = []): Pool {
  const answer = async (statement: Exclude<Statement, Writable>) => {
    const { name = "", values = [] } = typeof statement === "string" ? {} : statement;
    const hints = name === "ingest_enter_bodies" ? (values[4] ?? []) : [];
    if (hints.includes("poison")) {
      throw Object.assign(new Error("refused"), { code });
    }
    stored.push(...hints);
    return { rows: [], rowCount: values[0]?.length ?? 0 };
  };
  const query = (statement: Statement) =>
    statement instanceof Writable
      ? new Writable({ write: (_chunk, _encoding, done) => done() })
      : answer(statement);
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
      normalise: async (bodies) => bodies.map(() => [unprocessed("UNRECOGNISED", "none", null)]),
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
  const stored: unknown[] = [];
  const intake = intakeOf(refusing("22021", stored));
  const hints = [...Array.from({ length: 60 }, (_, i) => `p${i}`), "poison"];
  await expect(intake.take(hints.map(arrival))).rejects.toMatchObject({ code: "22021" });
  expect(new Set(stored).size).toBe(60);
});
