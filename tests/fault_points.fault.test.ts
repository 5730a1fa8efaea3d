import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { Point } from "../etl/point.js";
import { ETL_QUEUES } from "../etl/queues.js";
import { depth, publishByHand } from "./harness/broker.js";
import { eventually } from "./harness/eventually.js";
import { Platform } from "./harness/platform.js";
import { processState, WorkerProcess } from "./harness/process.js";
import { sampled } from "./harness/sampled.js";

/** Two months of two chunks each. */
const SPEC = { rows: 6_000, toOn: "2025-03-01", chunkRows: 2_000 };
const DEFAULT_RUN = {
  STAGE_TARGET_TXN: "6000",
  STAGE_TO: "2025-03-01",
  STAGE_CHUNK_SIZE: "2000",
  STAGE_SEED: "7",
};

/** Onto the same months. */
const SECOND = { ...SPEC, seed: 8 };

/** Digests of the months after one run and after both. */
let oracle: Record<"one" | "both", string[]>;
beforeAll(async () => {
  const calm = await Platform.create();
  try {
    await calm.load(SPEC);
    const one = await calm.digests();
    await calm.load(SECOND);
    oracle = { one, both: await calm.digests() };
  } finally {
    await calm.close();
  }
});

let platform: Platform;
beforeEach(async () => {
  platform = await Platform.create({
    ...DEFAULT_RUN,
    STAGE_DIRT_RATE: "0.05",
    STAGE_FRAUD_RATE: "0.01",
    // The broker waits three of them before it gives a frozen worker's messages to another.
    RABBITMQ_HEARTBEAT_S: "2",
  });
});
afterEach(() => platform.close());

async function expectUndisturbed(runs: keyof typeof oracle = "one"): Promise<void> {
  expect((await platform.verify()).differences).toEqual([]);
  expect(await platform.digests()).toEqual(oracle[runs]);
  expect(await depth(platform.settings, ETL_QUEUES.deadLetter)).toBe(0);
  expect(await platform.stagingTables()).toBe(0);
  expect(await platform.value("SELECT count(*) FROM etl.run")).toBe(runs === "one" ? 1 : 2);
}

const POINTS: readonly Point[] = [
  "begin: committed",
  "begin: published",
  "plan: committed",
  "plan: published",
  "stage: before copy",
  "stage: in copy",
  "stage: after copy",
  "stage: committed",
  "stage: published",
  "clean: suspects judged",
  "clean: committed",
  "clean: published",
  "agg: rolled up",
  "agg: month published",
  "agg: committed",
  "agg: published",
];
/** docs/state_machine.md: they noticed an ack before the commit, and a ledger outside of the transaction. */
const FOUND: readonly Point[] = ["stage: after copy", "clean: suspects judged"];

test.each(sampled(POINTS, FOUND))("kill -9 at %s leaves no trace", async (point) => {
  // Not the first chunk: something is there already.
  const nth = /^(stage|clean)/.test(point) ? 2 : 1;
  const doomed = WorkerProcess.startFaulty(platform.settings, { point, nth });
  if (point.startsWith("begin")) {
    await eventually("queue", () => publishByHand(platform.settings, ETL_QUEUES.work, "stage"));
  } else {
    await platform.kickoff(SPEC);
  }
  expect(await doomed.ended()).toBe("SIGKILL");
  const worker = await platform.startWorker();
  await platform.done("r1");
  await platform.stopWorker(worker);
  await expectUndisturbed();
});

test.each<[Point, number]>([
  ["agg: rolled up", 1],
  ["agg: month added to", 1],
  ["agg: month added to", 2],
  ["agg: committed", 1],
  ["agg: published", 1],
])("kill -9 at %s (%i) of a run onto months that stand leaves no trace", async (point, nth) => {
  await platform.load(SPEC);
  const doomed = WorkerProcess.startFaulty(platform.settings, { point, nth });
  await platform.kickoff(SECOND);
  expect(await doomed.ended()).toBe("SIGKILL");
  const worker = await platform.startWorker();
  await platform.done("r2");
  await platform.stopWorker(worker);
  await expectUndisturbed("both");
});

test("a worker frozen past its lease while it adds to a month cannot commit when it wakes", async () => {
  await platform.load(SPEC);
  await outlivedByAnother("agg: month added to", SECOND, "both");
});

test.each(["stage: in copy", "agg: month published"] as const)(
  "a worker frozen past its lease at %s cannot commit when it wakes; another has finished",
  (point) => outlivedByAnother(point, SPEC, "one"),
);

/** A worker is frozen at a point; another finishes the run, and nothing comes of it when the first one wakes. */
async function outlivedByAnother(point: Point, spec: typeof SPEC, runs: keyof typeof oracle): Promise<void> {
  const lease = { beatMs: 200, leaseMs: 1_000 };
  const frozen = WorkerProcess.startFaulty(platform.settings, {
    point,
    signal: "SIGSTOP",
    leaseMs: lease.leaseMs,
  });
  const { runId } = await platform.kickoff(spec);
  const stopped = async () => (await processState(frozen.pid)) === "T";
  await eventually("frozen", stopped, { withinMs: 30_000 });
  const worker = await platform.startWorker(2, { leaseTimes: lease });
  // It holds its chunk or its month until it is reaped; only then can the other one go on to the end.
  await platform.done(runId);
  await expectUndisturbed(runs);
  frozen.signal("SIGCONT");
  await eventually(
    "awake",
    async () => (await platform.value("SELECT count(*) FROM etl.worker WHERE reaped_at IS NULL")) === 2,
  );
  expect(await frozen.stop("SIGTERM")).toBe(0);
  await platform.stopWorker(worker);
  await expectUndisturbed(runs);
  expect(await platform.value("SELECT count(*) FROM etl.worker")).toBe(0);
}
