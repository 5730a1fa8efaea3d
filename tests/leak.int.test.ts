import { afterEach, beforeEach, expect, test } from "vitest";
import { auditRun } from "../etl/leak/read.js";
import { getRun, lastDone } from "../etl/ledger/run.js";
import { withPool } from "./harness/database.js";
import { Platform } from "./harness/platform.js";

let platform: Platform;
beforeEach(async () => {
  platform = await Platform.create();
});
afterEach(() => platform.close());

const audit = async (runId: string) => auditRun(platform.pool, await getRun(platform.pool, runId));

test("a run is audited by all of its rows and no others, whatever else its months hold", async () => {
  const { runId } = await platform.load({ fraudRate: 0.1, fraudDifficulty: "easy" });
  const [rows, fraud] = [
    await platform.value<number>("SELECT count(*) FROM txn"),
    await platform.value<number>("SELECT count(*) FROM txn WHERE is_fraud"),
  ];
  const alone = await audit(runId);
  expect(alone).toMatchObject({ rows, fraud });
  expect(alone.columns[0]?.by).toBe("amount");
  expect(alone.columns[0]?.auc).toBeGreaterThan(0.8);
  expect(alone.pairs.some(({ by }) => by === "account_country, merchant_country")).toBe(true);
  await platform.load({ rows: 5_000, seed: 8 });
  expect(await audit(runId)).toEqual(alone);
  expect((await lastDone(platform.pool))?.runId).toBe("r2");
});

test("a run with too little fraud, and one that is not done, are not audited", async () => {
  await platform.load({ rows: 3_000, fraudRate: 0 });
  await expect(audit("r1")).rejects.toMatchObject({ code: "FRAUD_TOO_RARE" });
  const { runId } = await platform.begin({ rows: 3_000 });
  await expect(audit(runId)).rejects.toMatchObject({ code: "RUN_UNFINISHED" });
  expect((await lastDone(platform.pool))?.runId).toBe("r1");
});

test("a run that has lost a month is not audited", async () => {
  await platform.load({ rows: 3_000 });
  await withPool({ role: "admin", database: platform.settings.POSTGRES_DB }, (pool) =>
    pool.query("SET ROLE payments_owner; DROP TABLE payments.txn_2025_02"),
  );
  await expect(audit("r1")).rejects.toMatchObject({
    code: "LEAF_CHANGED",
    message: expect.stringContaining("txn_2025_02 is missing"),
  });
});
