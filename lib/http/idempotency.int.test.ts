import { hash } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { createDatabase, dropDatabase } from "../../tests/harness/database.js";
import { eventually } from "../../tests/harness/eventually.js";
import { closeServers, serveApi } from "../../tests/harness/http.js";
import { testSettings } from "../../tests/harness/settings.js";
import { CoreError } from "../core_errors.js";
import { type Client, createPool, type Pool, transaction } from "../postgres/pool.js";
import { deferred } from "../timing.js";
import { withIdempotency } from "./idempotency.js";
import { defineRoute } from "./route.js";

let database: string;
/** Of two processes; the second has two connections. */
let pools: Pool[];
let pool: Pool;
beforeAll(async () => {
  database = await createDatabase("migrated");
  const at = testSettings({ POSTGRES_DB: database });
  pools = [8, 2].map((max) => createPool(at, { role: "admin", max }));
  pool = pools[0] as Pool;
  await pool.query(`CREATE SCHEMA shop; CREATE TABLE shop.idempotency (LIKE wallet.idempotency INCLUDING ALL);
    CREATE TABLE shop.payment (id bigint GENERATED ALWAYS AS IDENTITY, pot text, amount text)`);
});
afterAll(async () => {
  await Promise.all(pools.map((each) => each.end()));
  await dropDatabase(database);
});

/** What a test does in the middle of the effect. */
let during: (tx: Client) => Promise<unknown>;
let servers: FastifyInstance[];
beforeEach(async () => {
  during = async () => undefined;
  await pool.query("TRUNCATE shop.idempotency, shop.payment");
  const HTTP_API_KEYS = ["a", "b"].map((name) => `${name}=${hash("sha256", `k${name}`)}`).join();
  servers = await Promise.all(pools.map((each) => serveApi(routesOf(each), { settings: { HTTP_API_KEYS } })));
});
afterEach(closeServers);

const routesOf = (own: Pool) =>
  (["/pots/:id/pay", "/pots/:id/draw"] as const).map((path) =>
    defineRoute({
      method: "POST",
      path,
      summary: "Pays",
      idempotency: "optional",
      request: {
        params: z.object({ id: z.string() }),
        body: z.strictObject({ amount: z.string(), note: z.string().optional() }),
      },
      answers: { 201: z.object({ id: z.string(), amount: z.string() }) },
      handle: (request) =>
        transaction(own, (tx) =>
          withIdempotency(tx, { schema: "shop", request }, async () => {
            const { amount, note } = request.body;
            const { rows } = await tx.query<{ id: number }>(
              "INSERT INTO shop.payment (pot, amount) VALUES ($1, $2) RETURNING id",
              [request.params.id, amount],
            );
            await during(tx);
            if (note === "refuse") {
              return new CoreError("CARD_DATA_REFUSED", "there is too little in it.");
            }
            if (note === "clash") {
              return new CoreError("DEAD_LETTERS_BUSY", "somebody else is at it.");
            }
            if (note === "throw") {
              throw new CoreError("CARD_DATA_REFUSED", "not like this.");
            }
            const id = String(rows[0]?.id);
            return { status: 201, body: { id, amount }, headers: { location: `/payments/${id}` } };
          }),
        ),
    }),
  );

interface Asked {
  readonly key?: string;
  readonly payload?: object | string;
  readonly url?: string;
  readonly as?: string;
  readonly process?: number;
}
async function pay({
  key,
  payload = { amount: "1.00" },
  url = "/pots/1/pay",
  as = "ka",
  process = 0,
}: Asked = {}) {
  const headers = { "content-type": "application/json", "x-api-key": as };
  const answer = await (servers[process] as FastifyInstance).inject({
    ...{ method: "POST", url, payload },
    headers: { ...headers, ...(key === undefined ? {} : { "idempotency-key": key }) },
  });
  const { location, "idempotent-replayed": replayed, "retry-after": retryAfter } = answer.headers;
  return { status: answer.statusCode, body: answer.body, location, replayed, retryAfter };
}
const count = async (table: "payment" | "idempotency") =>
  (await pool.query(`SELECT count(*) AS rows FROM shop.${table}`)).rows[0].rows as number;

describe("callers that begin at once", () => {
  it("with one key have one effect and one answer, whichever process they ask", async () => {
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, i) => pay({ key: "k", process: i % 2 })),
    );
    expect(await count("payment")).toBe(1);
    expect(new Set(answers.map(({ status, body, location }) => `${status} ${body} ${location}`)).size).toBe(
      1,
    );
    expect(answers[0]?.status).toBe(201);
    expect(answers.filter(({ replayed }) => replayed === undefined)).toHaveLength(1);
  });

  it("with 25 keys, each four times, have 25 effects", async () => {
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, i) => pay({ key: `k${i % 25}`, process: i % 2 })),
    );
    expect(answers.filter(({ status }) => status !== 201)).toEqual([]);
    expect([await count("payment"), await count("idempotency")]).toEqual([25, 25]);
  });
});

describe("a repetition", () => {
  it("gets status, body and headers of the first to the byte, and a mark, whatever the order of its fields", async () => {
    const first = await pay({ key: "k", payload: '{"amount":"1.00","note":"x"}' });
    const second = await pay({ key: '"k"', payload: '{ "note":"x", "amount":"1.00" }', process: 1 });
    expect(first).toMatchObject({
      status: 201,
      replayed: undefined,
      location: expect.stringContaining("/payments/"),
    });
    expect(second).toEqual({ ...first, replayed: "true" });
    expect(await count("payment")).toBe(1);
  });

  it.each<[string, Asked]>([
    ["body", { payload: { amount: "2.00" } }],
    ["path", { url: "/pots/2/pay" }],
  ])("with another %s is refused", async (_, other) => {
    await pay({ key: "k" });
    const answer = await pay({ key: "k", ...other });
    expect(JSON.parse(answer.body)).toMatchObject({
      status: 422,
      code: "IDEMPOTENCY_MISMATCH",
      retryable: false,
    });
    expect(await count("payment")).toBe(1);
  });

  it.each<[string, Asked]>([
    ["endpoint", { url: "/pots/1/draw" }],
    ["caller", { as: "kb" }],
    ["key", { key: "K" }],
  ])("with another %s is none", async (_, other) => {
    await pay({ key: "k" });
    expect(await pay({ key: "k", ...other })).toMatchObject({ status: 201, replayed: undefined });
    expect(await count("payment")).toBe(2);
  });

  it("without a key is a payment of its own", async () => {
    await pay();
    expect(await pay()).toMatchObject({ status: 201, replayed: undefined });
    expect([await count("payment"), await count("idempotency")]).toEqual([2, 0]);
  });
});

describe("a refusal", () => {
  it("that the effect returns is kept with what it did", async () => {
    const first = await pay({ key: "k", payload: { amount: "1.00", note: "refuse" } });
    const second = await pay({ key: "k", payload: { amount: "1.00", note: "refuse" } });
    expect(first).toMatchObject({ status: 422, body: expect.stringContaining("CARD_DATA_REFUSED") });
    expect(second).toEqual({ ...first, replayed: "true" });
    expect([await count("payment"), await count("idempotency")]).toEqual([1, 1]);
  });

  it("that it throws undoes all and keeps no key", async () => {
    expect(await pay({ key: "k", payload: { amount: "1.00", note: "throw" } })).toMatchObject({
      status: 422,
    });
    expect([await count("payment"), await count("idempotency")]).toEqual([0, 0]);
    expect(await pay({ key: "k" })).toMatchObject({ status: 201, replayed: undefined });
  });

  it("that may pass by itself is not kept", async () => {
    expect(await pay({ key: "k", payload: { amount: "1.00", note: "clash" } })).toMatchObject({
      status: 409,
    });
    expect(await count("idempotency")).toBe(0);
  });
});

describe("a key in flight", () => {
  it("is waited for", async () => {
    const gate = deferred<void>();
    during = () => gate.promise;
    const first = pay({ key: "k" });
    await eventually("the first holds the key", locked);
    const second = pay({ key: "k", process: 1 });
    gate.resolve();
    expect(await second).toEqual({ ...(await first), replayed: "true" });
  });

  it("for longer than two seconds is 409, and holds no connection meanwhile", async () => {
    const frozen = await pool.connect();
    try {
      await frozen.query("BEGIN");
      await frozen.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [
        '"shop"."idempotency" POST /pots/:id/pay a k',
      ]);
      const started = performance.now();
      const waiting = Promise.all(Array.from({ length: 20 }, () => pay({ key: "k", process: 1 })));
      // The second process has two connections, and twenty requests wait in it.
      const served = await Promise.all(
        Array.from({ length: 20 }, (_, i) => pay({ key: `o${i}`, process: 1 })),
      );
      expect(served.filter(({ status }) => status !== 201)).toEqual([]);
      expect(performance.now() - started).toBeLessThan(2_000);
      for (const answer of await waiting) {
        expect(JSON.parse(answer.body)).toMatchObject({
          status: 409,
          code: "IDEMPOTENCY_IN_FLIGHT",
          retryable: true,
        });
        expect(answer.retryAfter).toBe("1");
      }
      expect(performance.now() - started).toBeGreaterThanOrEqual(2_000);
    } finally {
      await frozen.query("ROLLBACK");
      frozen.release();
    }
    expect(await pay({ key: "k" })).toMatchObject({ status: 201, replayed: undefined });
  });

  it("whose process dies is free", async () => {
    during = async (tx) => {
      during = async () => undefined;
      const { rows } = await tx.query("SELECT pg_backend_pid() AS pid");
      await pool.query("SELECT pg_terminate_backend($1)", [rows[0].pid]);
      await tx.query("SELECT 1");
    };
    expect(await pay({ key: "k", process: 1 })).toMatchObject({ status: 503, retryAfter: "1" });
    expect([await count("payment"), await count("idempotency")]).toEqual([0, 0]);
    expect(await pay({ key: "k", process: 1 })).toMatchObject({ status: 201, replayed: undefined });
  });

  it("that another committed after it was looked up: the effect is undone, and the other's answer given", async () => {
    const elsewhere = await pay({ key: "other" });
    during = async () => {
      during = async () => undefined;
      // As if the other one had begun before us.
      await pool.query("UPDATE shop.idempotency SET key = 'k'");
    };
    expect(await pay({ key: "k" })).toEqual({ ...elsewhere, replayed: "true" });
    expect(await count("payment")).toBe(1);
  });

  const locked = async () =>
    (await pool.query("SELECT FROM pg_locks WHERE locktype = 'advisory'")).rowCount === 1;
});
