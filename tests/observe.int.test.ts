import { expect, test } from "vitest";
import { traceId } from "../etl/observe.js";
import { eventually } from "./harness/eventually.js";
import { freePort } from "./harness/free_port.js";
import { Platform, SMALL_SPEC } from "./harness/platform.js";
import { WorkerProcess } from "./harness/process.js";

/** Sum of all series of a metric. */
function sum(text: string, metric: string): number {
  const values = [...text.matchAll(new RegExp(`^${metric}(?:{[^}]*})? (\\S+)$`, "gm"))];
  expect(values.length, metric).toBeGreaterThan(0);
  return values.reduce((total, [, value]) => total + Number(value), 0);
}

test("a worker counts what it loads, and every line of a step carries its trace, and none a secret", async () => {
  const port = await freePort();
  const platform = await Platform.create();
  const worker = await WorkerProcess.start({ ...platform.settings, WORKER_METRICS_PORT: port });
  const get = (path: string) => fetch(`http://127.0.0.1:${port}/${path}`);
  try {
    expect((await get("readyz")).status).toBe(200);
    const run = await platform.kickoff();
    await platform.done(run.runId);
    // Counted after the commit by which the run is done.
    const text = await eventually("last step counted", async () => {
      const metrics = await (await get("metrics")).text();
      return sum(metrics, "payments_messages_in_flight") === 0 && metrics;
    });
    expect(sum(text, "payments_rows_generated_total")).toBe(SMALL_SPEC.rows);
    expect(sum(text, "payments_rows_staged_total")).toBe(SMALL_SPEC.rows);
    const count = (sql: string) => platform.value<number>(sql);
    expect(sum(text, "payments_rows_accepted_total")).toBe(await count("SELECT count(*) FROM txn"));
    expect(sum(text, "payments_rows_rejected_total")).toBe(await count("SELECT count(*) FROM txn_reject"));
    expect(sum(text, "payments_rows_repaired_total")).toBe(
      await count("SELECT sum(repaired) FROM etl.chunk"),
    );
    expect(sum(text, "payments_copy_bytes_total")).toBe(
      await count("SELECT sum(copy_bytes)::bigint FROM etl.chunk"),
    );
    expect(text).toContain('payments_step_duration_seconds_count{step="agg",outcome="done"} 3');
    expect(text).toMatch(/^payments_publishes_total\{queue="etl_queue",result="confirmed"\} [1-9]/m);

    await worker.stop();
    const lines = worker.log
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const ofSteps = lines.filter((line) => line["run"] === run.runId);
    expect(ofSteps.length).toBeGreaterThan(20);
    for (const { chunk, trace_id } of ofSteps) {
      expect(trace_id).toBe(traceId(run.runId, chunk as number | undefined));
    }
    expect(worker.log).not.toContain(platform.settings.POSTGRES_PASSWORD);
    expect(worker.log).not.toContain(platform.settings.RABBITMQ_PASSWORD);
  } finally {
    await worker.stop();
    await platform.close();
  }
});
