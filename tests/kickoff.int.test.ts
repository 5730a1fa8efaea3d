import { afterEach, beforeEach, expect, onTestFinished, test } from "vitest";
import { requestedRows, topUp } from "../etl/ledger/new_run.js";
import { cancelRun } from "../etl/runs/cancel.js";
import { planStep } from "../etl/steps/plan_run.js";
import { eventually } from "./harness/eventually.js";
import { Platform, SMALL_SPEC } from "./harness/platform.js";
import { startPayments } from "./harness/process.js";
import { TcpProxy } from "./harness/proxy.js";

let platform: Platform;
beforeEach(async () => {
  platform = await Platform.create();
});
afterEach(() => platform.close());

test("many that top up to the same target at once enter one run between them", async () => {
  const runs = await Promise.all([1, 2, 3, 4, 5, 6].map(() => topUp(platform.pool, SMALL_SPEC, 4, 5_000)));
  expect(runs.filter((run) => run !== undefined).length).toBe(1);
  expect(await requestedRows(platform.pool)).toBe(5_000);
  expect((await topUp(platform.pool, SMALL_SPEC, 4, 7_500))?.spec).toMatchObject({
    rows: 2_500,
    firstTxnId: 5_001,
  });
  expect(await topUp(platform.pool, SMALL_SPEC, 4, 100)).toBeUndefined();
});

test("a run that another version of the generator made is neither planned nor cancelled", async () => {
  const run = await platform.kickoff({ rows: 100 });
  await platform.pool.query("UPDATE etl.run SET generator_version = 1");
  await expect(cancelRun(platform.pool, run.runId)).rejects.toMatchObject({ code: "GENERATOR_MISMATCH" });
  await expect(planStep(platform.context, run.runId)).rejects.toMatchObject({ code: "GENERATOR_MISMATCH" });
});

test("who waits for a run waits for PostgreSQL too", async () => {
  const { POSTGRES_HOST: host, POSTGRES_PORT: port } = platform.settings;
  const proxy = await TcpProxy.open(() => ({ host, port }));
  const { output, ended, child } = startPayments(
    { ...platform.settings, POSTGRES_PORT: proxy.port },
    ...["kickoff", "--rows", "1000", "--wait"],
  );
  onTestFinished(() => void child.kill("SIGKILL"));
  const within = { withinMs: 60_000 };
  await eventually("progress", () => output.stderr.includes("r1 planned"), within);
  proxy.refuse();
  proxy.reset();
  await eventually("an outage", () => output.stderr.includes("waiting for a server that is away"), within);
  proxy.pass();
  await cancelRun(platform.pool, "r1");
  expect(await ended).toMatchObject({ code: 0, stderr: expect.stringContaining("r1 cancelled") });
  await proxy.close();
});
