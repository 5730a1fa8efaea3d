import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CoreError } from "../../lib/core_errors.js";
import { codeOf } from "../../lib/errors.js";
import { fingerprintOf } from "../../lib/http/fingerprint.js";
import { silentLogger } from "../../lib/observability/log.js";
import type { Pool } from "../../lib/postgres/pool.js";
import { createServicePool } from "../../lib/postgres/service_pool.js";
import { deferred } from "../../lib/timing.js";
import { createDatabase, dropDatabase, withPool } from "../../tests/harness/database.js";
import { eventually } from "../../tests/harness/eventually.js";
import { testSettings } from "../../tests/harness/settings.js";
import { Actions } from "./actions.js";
import { findAction, type NewAction } from "./store/action.js";

let database: string;
let pool: Pool;
let actions: Actions;
beforeAll(async () => {
  database = await createDatabase("migrated");
  pool = createServicePool(testSettings({ POSTGRES_DB: database }), {
    ...{ role: "payments_console", schema: "console", max: 4, applicationName: "actions" },
  });
  actions = new Actions({ pool, logger: silentLogger });
});
afterAll(async () => {
  await actions?.drain();
  await pool?.end();
  await dropDatabase(database);
});

const newAction = (more: Partial<NewAction> = {}): NewAction => ({
  ...{ key: randomUUID(), fingerprint: fingerprintOf("x"), kind: "run.cancel", subject: "r1" },
  ...{
    asked: {},
    thing: `run ${randomUUID()}`,
    who: "Ana",
    why: "because",
    traceId: "0".repeat(31).concat("1"),
  },
  ...more,
});

const refusal = (attempt: Promise<unknown>) => attempt.then(() => "none", codeOf);

test("what is done is done once for a key, and its row is the answer to each repetition", async () => {
  let done = 0;
  const work = async () => ({ done: ++done, large: 9_007_199_254_740_993n, text: "\u0000<script>" });
  const once = newAction({ asked: { rows: 5, text: "\u0000" } });
  const rows = await Promise.all([1, 2, 3].map(() => actions.begin(once, work)));
  expect(new Set(rows.map(({ actionId }) => actionId)).size).toBe(1);
  const again = await actions.begin(once, work);
  expect(again).toMatchObject({
    ...{ state: "done", who: "Ana", why: "because", kind: "run.cancel", subject: "r1" },
    asked: { rows: 5, text: "\u0000" },
    result: { done: 1, large: "9007199254740993", text: "\u0000<script>" },
  });
  expect(done).toBe(1);
  const other = { ...once, fingerprint: fingerprintOf("y") };
  expect(await refusal(actions.begin(other, work))).toBe("IDEMPOTENCY_MISMATCH");
});

/** Does not wait for the end. */
const hasty = () => new Actions({ pool, logger: silentLogger, answerMs: 0 });

test("who would do something to the same thing is told who does, and may when it has ended", async () => {
  const gate = deferred<object>();
  const [first, second] = [newAction(), newAction({ who: "Eve" })];
  const running = await hasty().begin(first, () => gate.promise);
  expect(running.state).toBe("running");
  const error = await actions
    .begin({ ...second, thing: first.thing }, async () => ({}))
    .catch((e: unknown) => e);
  expect(error).toMatchObject({
    code: "CONSOLE_ACTION_RUNNING",
    message: expect.stringContaining("Ana does run.cancel to r1"),
    members: { who: "Ana", action_id: running.actionId },
  });
  gate.resolve({});
  await eventually("ended", async () => (await findAction(pool, running.actionId))?.state === "done");
  const next = await actions.begin({ ...second, thing: first.thing }, async () => ({}));
  expect(next).toMatchObject({ state: "done", who: "Eve" });
});

test("what fails says why, and what nobody foresaw nothing of its text", async () => {
  const known = new CoreError("RUN_OVER" as "USAGE_INVALID", "run r1 is done.", { hint: "Look." });
  const [told, untold] = [
    await actions.begin(newAction(), () => {
      throw known;
    }),
    await actions.begin(newAction(), () => Promise.reject(new Error("password=secret"))),
  ];
  expect(told).toMatchObject({ state: "failed", failure: { detail: "run r1 is done.", hint: "Look." } });
  expect(untold).toMatchObject({ state: "failed", failure: { code: "INTERNAL" } });
  expect(JSON.stringify(untold.failure)).not.toContain("secret");
});

/** As if its process had been silent for longer than the lease. */
const outlive = (actionId: string) =>
  withPool({ role: "admin", database }, async (admin) => {
    await admin.query("SET ROLE payments_owner");
    await admin.query(
      "UPDATE console.action SET leased_until = now() - interval '1 second' WHERE action_id = $1",
      [actionId],
    );
  });

test("what lives is not taken for dead because its lease could not be renewed for a while", async () => {
  const gate = deferred<object>();
  const living = hasty();
  const first = newAction();
  const { actionId } = await living.begin(first, () => gate.promise);
  await outlive(actionId);
  const beside = [living, actions].map((each) =>
    each.begin(newAction({ thing: first.thing }), async () => ({})),
  );
  expect(await Promise.all(beside.map(refusal))).toEqual(Array(2).fill("CONSOLE_ACTION_RUNNING"));
  gate.resolve({});
  await eventually("done", async () => (await findAction(pool, actionId))?.state === "done");
});

const leaseOf = async (actionId: string) =>
  (
    await pool.query<{ lease: Date }>(
      "SELECT leased_until AS lease FROM console.action WHERE action_id = $1",
      [actionId],
    )
  ).rows[0]?.lease as Date;

test("what a process that has died was at ends as lost, and holds nobody up; what is at work is renewed", async () => {
  const gate = deferred<object>();
  const living = new Actions({ pool, logger: silentLogger, answerMs: 0, tendMs: 20 });
  await living.start();
  const { actionId: own } = await living.begin(newAction(), () => gate.promise);
  const dead = newAction();
  const { actionId: lost } = await hasty().begin(dead, () => gate.promise);
  const lease = await leaseOf(own);
  await outlive(lost);
  await eventually("lost", async () => (await findAction(pool, lost))?.state === "failed");
  expect(await findAction(pool, lost)).toMatchObject({ failure: { code: "CONSOLE_ACTION_LOST" } });
  expect((await actions.begin(newAction({ thing: dead.thing }), async () => ({}))).state).toBe("done");
  await eventually("renewed", async () => (await leaseOf(own)) > lease);
  gate.resolve({});
  await eventually("done", async () => (await findAction(pool, own))?.state === "done");
  await living.stop();
});
