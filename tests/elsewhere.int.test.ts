import { afterEach, beforeEach, expect, test } from "vitest";
import { originOf, requireOurs } from "../etl/origin.js";
import { ETL_QUEUES } from "../etl/queues.js";
import { verify } from "../etl/verify/verify.js";
import { silentLogger } from "../lib/observability/log.js";
import { createPool, type Pool } from "../lib/postgres/pool.js";
import { depth } from "./harness/broker.js";
import { copyDatabase, dropDatabase } from "./harness/database.js";
import { eventually } from "./harness/eventually.js";
import { Platform } from "./harness/platform.js";
import { payments } from "./harness/process.js";
import { createWorker } from "./harness/worker.js";

const SMALL = { rows: 1_000, fromOn: "2025-01-01", toOn: "2025-02-01", chunkRows: 500 };

/** A database with its worker, and a copy of it that shares its vhost: as after a restore beside it. */
let platform: Platform;
let other: string;
let otherPool: Pool;
beforeEach(async () => {
  platform = await Platform.create();
  other = await copyDatabase(platform.settings.POSTGRES_DB);
  otherPool = createPool({ ...platform.settings, POSTGRES_DB: other }, { max: 1 });
});
afterEach(async () => {
  await otherPool.end();
  await platform.close();
  await dropDatabase(other);
});

/** Of the ladder, all rungs together. */
async function waiting(): Promise<number> {
  const depths = await Promise.all(ETL_QUEUES.ladder.map(({ queue }) => depth(platform.settings, queue)));
  return depths.reduce((sum, each) => sum + each, 0);
}

test("a worker leaves the runs of another database alone; its own worker does them", async () => {
  await platform.load(SMALL);
  await platform.startWorker();
  const settings = { ...platform.settings, POSTGRES_DB: other, LOG_LEVEL: "warn" as const };
  const args = ["--rows", "1000", "--from", "2025-01-01", "--to", "2025-02-01", "--chunk-rows", "500"];
  const started = await payments(settings, "kickoff", ...args, "--json");
  // Numbered as one that the first database has done.
  expect(JSON.parse(started.stdout).run).toBe("r1");
  expect(started.stderr).toContain("RUN_ELSEWHERE");
  expect(started.stderr).toContain(platform.settings.POSTGRES_DB);
  await eventually("the message to be put off", async () => (await waiting()) > 0);

  const worker = createWorker(settings, silentLogger);
  await worker.start();
  try {
    await eventually(
      "the run to be done where it belongs",
      async () => (await otherPool.query("SELECT FROM etl.run WHERE state = 'done'")).rowCount === 1,
      { withinMs: 60_000 },
    );
  } finally {
    await worker.stop();
  }
  expect((await verify(otherPool, undefined)).differences).toEqual([]);
  expect((await platform.verify()).differences).toEqual([]);
  expect(await platform.value("SELECT count(*) FROM etl.run")).toBe(1);
});

test("what a message bears says whose it is; without any it is taken by the number of its run", async () => {
  const { runId } = await platform.begin(SMALL, { staged: 0 });
  const ours = await originOf(platform.pool, runId);
  expect(ours).toEqual({
    "x-database": platform.settings.POSTGRES_DB,
    "x-run-created-at": expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
  });
  expect(await requireOurs(platform.pool, runId, ours)).toEqual(ours);
  expect(await requireOurs(platform.pool, runId, {})).toEqual(ours);

  const elsewhere = (headers: object) => ({
    code: "RUN_ELSEWHERE",
    hint: expect.any(String),
    message: expect.stringContaining(Object.values(headers)[0]),
  });
  for (const headers of [{ "x-database": "wrong" }, { "x-run-created-at": "2025-01-01T00:00:00.000000Z" }]) {
    await expect(requireOurs(platform.pool, runId, { ...ours, ...headers })).rejects.toMatchObject(
      elsewhere(headers),
    );
  }
  // Also where no run has the number.
  await expect(requireOurs(otherPool, runId, ours)).rejects.toMatchObject({ code: "RUN_ELSEWHERE" });
  await expect(requireOurs(otherPool, runId, {})).rejects.toMatchObject({
    code: "RUN_UNKNOWN",
    message: `there is no run ${runId} in database ${other}.`,
  });
});
