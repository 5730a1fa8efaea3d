import { afterEach, beforeEach, expect, test } from "vitest";
import type { Pool } from "../../lib/postgres/pool.js";
import { withPool } from "../../tests/harness/database.js";
import { eventually } from "../../tests/harness/eventually.js";
import { payments } from "../../tests/harness/process.js";
import { archived, ended, pago, reportsPool, tellPayouts } from "../../tests/harness/reports.js";
import { Services } from "../../tests/harness/service.js";
import { paymentsEvtCompleted, paymentsEvtPending } from "../contracts/payments_evt.js";
import { discard, type RebuildOptions, rebuild } from "./rebuild.js";
import { dropSome } from "./store/generation.js";
import { readServed } from "./store/switch.js";

let services: Services;
let pool: Pool;
beforeEach(async () => {
  services = await Services.create({}, "reports");
  await services.start();
  pool = reportsPool(services);
});
afterEach(async () => {
  await pool?.end();
  await services?.close();
});

const options = (more: Partial<RebuildOptions> = {}): RebuildOptions => ({
  pool,
  rebuilder: "test",
  by: "test",
  acceptDifference: false,
  signal: new AbortController().signal,
  ...more,
});
const report = async () => (await services.get("/api/reports/payments")).body;
const generations = () =>
  services.owner<{ generation: number; state: string }>(
    "SELECT generation, state FROM reports.generation ORDER BY generation",
  );
const differences = () => services.differences("reports");

/** As somebody does who may do anything. */
const spoil = (sql: string) => services.owner(sql);

test("while events come it makes the same again, swaps, and what is told then goes into the new one", async () => {
  await tellPayouts(services, 1_500);
  let told = 3_000;
  let stop = false;
  const telling = (async () => {
    while (!stop) {
      const payouts = Array.from({ length: 5 }, () => pago());
      await services.publish(paymentsEvtPending, payouts);
      await services.publish(
        paymentsEvtCompleted,
        payouts.map((of) => ended(of, "EXITOSO")),
      );
      told += 10;
    }
  })();
  const seen: bigint[] = [];
  const rebuilt = await rebuild(options({ onStep: ({ position }) => seen.push(position) }));
  stop = true;
  await telling;
  expect(rebuilt).toMatchObject({ kind: "swapped", generation: 2, epoch: 2 });
  expect(seen.length).toBeGreaterThan(2);
  await archived(services, told);
  expect(await readServed(pool)).toMatchObject({
    epoch: 2,
    generation: 2,
    version: "v1",
    switchedBy: "test",
  });
  expect((await report()).totals.reduce((sum: number, { count }: { count: number }) => sum + count, 0)).toBe(
    told / 2,
  );
  expect(await differences()).toEqual([]);
  expect(await generations()).toEqual([
    { generation: 1, state: "retired" },
    { generation: 2, state: "live" },
  ]);
});

test("interrupted in the middle it goes on from there, and does no event twice", async () => {
  await tellPayouts(services, 1_500);
  const stop = new AbortController();
  const interrupted = await rebuild(options({ signal: stop.signal, onStep: () => stop.abort() }));
  expect(interrupted).toEqual({ kind: "interrupted", generation: 2 });
  const seen: bigint[] = [];
  const rebuilt = await rebuild(
    options({ rebuilder: "another", onStep: ({ position }) => seen.push(position) }),
  );
  expect(seen).toEqual([2_000n, 3_000n]);
  expect(rebuilt).toMatchObject({ kind: "swapped", generation: 2, position: 3_000n });
  expect(await differences()).toEqual([]);
});

test("one at a time; who was killed is replaced when its lease ends", async () => {
  await tellPayouts(services, 1_500);
  await services.owner(
    `INSERT INTO reports.generation (generation, rebuilder, leased_until) VALUES (2, 'frozen', now() + interval '1 minute')`,
  );
  await expect(rebuild(options())).rejects.toMatchObject({ code: "REBUILD_IN_FLIGHT" });
  await expect(discard(pool, "test")).rejects.toMatchObject({ code: "REBUILD_IN_FLIGHT" });
  await services.owner("UPDATE reports.generation SET leased_until = now() WHERE generation = 2");
  const both = await Promise.allSettled([
    rebuild(options({ rebuilder: "a" })),
    rebuild(options({ rebuilder: "b" })),
  ]);
  const won = both.filter(({ status }) => status === "fulfilled");
  expect(won.length).toBeGreaterThan(0);
  for (const each of both) {
    if (each.status === "rejected") {
      expect(each.reason).toMatchObject({ code: "REBUILD_IN_FLIGHT" });
    }
  }
  expect(await differences()).toEqual([]);
  expect((await generations()).filter(({ state }) => state === "live")).toHaveLength(1);
});

test("who is overtaken between comparing and swapping gives up, and holds nobody", async () => {
  await tellPayouts(services, 30);
  const overtaken = after(pool, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", async () => {
    await services.owner("UPDATE reports.generation SET leased_until = now() WHERE generation = 2");
    expect(await rebuild(options({ rebuilder: "b" }))).toMatchObject({ kind: "swapped", generation: 2 });
  });
  await expect(rebuild(options({ pool: overtaken, rebuilder: "a" }))).rejects.toMatchObject({
    code: "REBUILD_IN_FLIGHT",
  });
  expect(await readServed(pool)).toMatchObject({ generation: 2, epoch: 2 });
});

/** A pool on which something is done right after the transaction in which a statement was sent. */
function after(pool: Pool, statement: string, work: () => Promise<void>): Pool {
  const connect = async () => {
    const client = await pool.connect();
    const query = client.query.bind(client) as (...args: unknown[]) => Promise<unknown>;
    let isIn = false;
    const watched = async (...args: unknown[]) => {
      const answer = await query(...args);
      isIn ||= String(args[0]).startsWith(statement);
      if (isIn && args[0] === "COMMIT") {
        isIn = false;
        await work();
      }
      return answer;
    };
    return Object.assign(Object.create(client), { query: watched, release: client.release.bind(client) });
  };
  return Object.assign(Object.create(pool), { connect }) as Pool;
}

test("what differs is shown and not served, until somebody accepts it; or it is discarded", async () => {
  const [first] = await tellPayouts(services, 30);
  const command = (...args: string[]) => payments(services.settings, "reports", ...args, "--json");
  // As an older projection made it.
  await spoil(`UPDATE reports.payout SET amount = amount + 1 WHERE payout_id = '${first?.id_pago}'`);
  const wrong = (await report()).totals;
  const shown = await command("rebuild");
  expect(shown.code).toBe(3);
  expect(JSON.parse(shown.stdout)).toMatchObject({
    kind: "differs",
    generation: 2,
    differences: 1,
    first: [
      {
        what: `payout ${first?.id_pago}`,
        served: expect.stringContaining(" 151 "),
        rebuilt: expect.stringContaining(" 150 "),
      },
    ],
  });
  expect((await readServed(pool)).generation).toBe(1);

  expect((await command("discard")).code).toBe(0);
  expect((await command("discard")).stderr).toContain("REBUILD_UNKNOWN");
  // Nobody was shown how generation 3 differs.
  expect((await command("rebuild", "--accept-difference")).code).toBe(3);
  await services.publish(paymentsEvtPending, [pago()]);
  await archived(services, 61);
  // More differs than was shown, and more than an event since can have changed.
  await spoil("UPDATE reports.payout SET version = version + 1 WHERE generation = 1");
  expect((await command("rebuild", "--accept-difference")).code).toBe(3);
  const accepted = await command("rebuild", "--accept-difference");
  expect([accepted.code, JSON.parse(accepted.stdout)]).toEqual([
    0,
    expect.objectContaining({ kind: "swapped", generation: 3, position: 61, epoch: 2 }),
  ]);
  expect(await differences()).toEqual([]);
  expect((await report()).totals).not.toEqual(wrong);
  expect(await generations()).toEqual([
    { generation: 1, state: "retired" },
    { generation: 2, state: "retired" },
    { generation: 3, state: "live" },
  ]);
});

test("what was retired goes row by row, and a reader of it that is still there waits for nothing", async () => {
  await tellPayouts(services, 100);
  await withPool({ role: "admin", database: services.settings.POSTGRES_DB }, async (reader) => {
    await reader.query("SET ROLE payments_owner; BEGIN ISOLATION LEVEL REPEATABLE READ");
    const rows = async () =>
      Number(
        (await reader.query("SELECT count(*) AS n FROM reports.content WHERE generation = 1")).rows[0].n,
      );
    const before = await rows();
    expect(before).toBeGreaterThan(100);
    await rebuild(options());
    expect(await dropSome(pool, { retiredForS: 3_600, rows: 10 })).toBe(false);
    let calls = 0;
    while (await dropSome(pool, { retiredForS: 0, rows: 30 })) {
      calls += 1;
      expect((await services.get("/api/reports/payments")).status).toBe(200);
    }
    expect(calls).toBeGreaterThan(4);
    expect(await rows()).toBe(before);
    await reader.query("COMMIT");
    expect(await rows()).toBe(0);
  });
  expect(await generations()).toEqual([
    { generation: 1, state: "dropped" },
    { generation: 2, state: "live" },
  ]);
  expect(await differences()).toEqual([]);
});

test("an event that commits late is in a rebuild that was nearly done before", async () => {
  await tellPayouts(services, 1_500);
  const stop = new AbortController();
  await rebuild(options({ signal: stop.signal, onStep: () => stop.abort() }));
  const late = pago({ monto: "1234.00", moneda: "COP" });
  await withPool({ role: "admin", database: services.settings.POSTGRES_DB }, async (open) => {
    await open.query("BEGIN");
    await open.query("SELECT FROM reports.head FOR NO KEY UPDATE");
    await services.publish(paymentsEvtPending, [late]);
    const rebuilding = rebuild(options());
    const waiting = async () =>
      withPool({ role: "admin", database: services.settings.POSTGRES_DB }, (admin) =>
        admin.query(
          `SELECT FROM pg_stat_activity
           WHERE datname = current_database() AND wait_event_type = 'Lock' AND application_name = 'payments reports'`,
        ),
      );
    await eventually("the rebuild waits for the head", async () => (await waiting()).rowCount === 1);
    expect((await readServed(pool)).generation).toBe(1);
    await open.query("COMMIT");
    expect(await rebuilding).toMatchObject({ kind: "swapped", generation: 2 });
  });
  await archived(services, 3_001);
  expect((await report()).totals).toContainEqual({
    ...{ currency: "COP", count: 1, amount: "1234.00" },
    ...{ completed: 0, failed: 0 },
  });
  expect(await differences()).toEqual([]);
});

test("readers meet no error and no mixture through switches and rebuilds", async () => {
  await tellPayouts(services, 200);
  let stop = false;
  const tags = new Map<string, string>();
  const problems: string[] = [];
  let reads = 0;
  const reading = Array.from({ length: 4 }, async () => {
    let epoch = 0;
    while (!stop) {
      const { status, body, headers } = await services.get("/api/reports/payments");
      const tag = headers.get("etag") ?? "";
      const { as_of: _, ...rest } = body;
      const text = JSON.stringify(rest);
      if (
        status !== 200 ||
        headers.get("x-report-version") !== body.version ||
        (tags.get(tag) ?? text) !== text
      ) {
        problems.push(`${status} ${tag} ${text}`);
      }
      if (Object.keys(body).length !== (body.version === "v1" ? 3 : 9)) {
        problems.push(`${body.version} has ${Object.keys(body)}`);
      }
      if (Number(headers.get("x-report-epoch")) < epoch) {
        problems.push("an epoch went back");
      }
      epoch = Number(headers.get("x-report-epoch"));
      tags.set(tag, text);
      reads += 1;
    }
  });
  for (let i = 0; i < 10; i++) {
    const { status } = await services.request("PUT", "/api/reports/version", {
      version: i % 2 === 0 ? "v2" : "v1",
    });
    expect(status).toBe(200);
    if (i % 5 === 0) {
      await rebuild(options());
    }
    const from = reads;
    await eventually("some reads", () => reads > from + 10);
  }
  stop = true;
  await Promise.all(reading);
  expect(problems).toEqual([]);
  expect(tags.size).toBeGreaterThan(10);
});
