import { expect, test } from "vitest";
import { createBuilds } from "../etl/build/create.js";
import { type PlannedMonth, planRun } from "../etl/plan.js";
import { transaction } from "../lib/postgres/pool.js";
import { withPool } from "./harness/database.js";
import { eventually } from "./harness/eventually.js";
import { Platform } from "./harness/platform.js";

test("while a dump is read no month is begun, published or dropped, and nobody queues for a table", async () => {
  const platform = await Platform.create();
  const worker = await platform.startWorker();
  await withPool({ role: "backup", database: platform.settings.POSTGRES_DB }, async (pool) => {
    const run = await platform.kickoff({ rows: 10_000, toOn: "2025-02-01", chunkRows: 1_000 });
    await eventually(
      "a run under way",
      async () => (await platform.value("SELECT state FROM etl.run")) === "running",
    );
    await pool.query("BEGIN");
    await pool.query("SELECT etl.hold_publishing()");
    const [january] = planRun(run.spec).months;
    const begin = transaction(platform.pool, (client) =>
      createBuilds(client, "r8", [january as PlannedMonth]),
    );
    const drop = platform.pool.query("SELECT etl.drop_build('r9', '2025-01-01')");
    await eventually("three waiting", async () => (await waitingFor(platform)).length === 3);
    // Parallel pg_dump gives up when anybody queues for a table that it is about to read.
    expect(await waitingFor(platform)).toEqual(["etl.month", "etl.month", "etl.month"]);
    expect(await platform.value("SELECT count(*) FROM etl.month")).toBe(0);
    await pool.query("ROLLBACK");
    await Promise.all([begin, drop]);
    await platform.pool.query("SELECT etl.drop_build('r8', '2025-01-01')");
    await platform.done(run.runId);
  });
  await platform.stopWorker(worker);
  expect((await platform.verify()).differences).toEqual([]);
  await platform.close();
});

/** Tables that sessions of this database wait for. */
async function waitingFor(platform: Platform): Promise<string[]> {
  const { rows } = await platform.pool.query(
    `SELECT relation::regclass::text AS name FROM pg_locks
     WHERE NOT granted AND locktype = 'relation' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
  );
  return rows.map((row: { name: string }) => row.name);
}
