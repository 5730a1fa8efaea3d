import { afterEach, beforeEach, expect, test } from "vitest";
import { auditRun } from "../etl/leak/read.js";
import { getRun, lastDone } from "../etl/ledger/run.js";
import { withPool } from "./harness/database.js";
import { Platform } from "./harness/platform.js";
import { payments } from "./harness/process.js";

let platform: Platform;
beforeEach(async () => {
  platform = await Platform.create();
});
afterEach(() => platform.close());

const byHand = (sql: string) =>
  withPool({ role: "admin", database: platform.settings.POSTGRES_DB }, (pool) =>
    pool.query(`SET ROLE payments_owner; ${sql}`),
  );
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

test.each(["medium", "hard"] as const)(
  "on the command line a run that is %s is within its bounds; a column that tells ends with 3 and is named",
  async (fraudDifficulty) => {
    const spec = { rows: 250_000, chunkRows: 125_000, toOn: "2025-03-01", fraudRate: 0.01 };
    await platform.load({ ...spec, fraudDifficulty });
    const json = await payments(platform.settings, "audit-leak", "--json");
    expect(json).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(json.stdout)).toMatchObject({ run: "r1", fraudDifficulty, findings: [], ok: true });
    await byHand("UPDATE payments.txn SET amount = trunc(amount) + 0.99 WHERE is_fraud");
    const text = await payments(platform.settings, "audit-leak", "r1");
    expect(text).toMatchObject({ code: 3, stderr: "" });
    expect(text.stdout).toMatch(
      /^column amount_ending tells fraud with 0\.[0-9]+, at most 0\.[67] is allowed$/m,
    );
    expect(text.stdout).toMatch(/^LEAK_FOUND: [0-9]+ finding\(s\)$/m);
  },
  600_000,
);

test("a run with too little fraud or nothing else, and one that is not done, are not audited", async () => {
  await platform.load({ rows: 3_000, fraudRate: 1 });
  await expect(audit("r1")).rejects.toMatchObject({ code: "HONEST_TOO_RARE" });
  await platform.load({ rows: 3_000, fraudRate: 0 });
  await expect(audit("r2")).rejects.toMatchObject({ code: "FRAUD_TOO_RARE" });
  const { runId } = await platform.begin({ rows: 3_000 });
  await expect(audit(runId)).rejects.toMatchObject({ code: "RUN_UNFINISHED" });
  expect((await lastDone(platform.pool))?.runId).toBe("r2");
});

test("the last run, made by a generator that is not known any more, is not audited", async () => {
  await platform.load({ rows: 3_000 });
  await platform.pool.query("UPDATE etl.run SET generator_version = 1");
  await expect(lastDone(platform.pool)).rejects.toMatchObject({ code: "GENERATOR_MISMATCH" });
});

test("a run that has lost a month or an account is not audited", async () => {
  await platform.load({ rows: 6_000, fraudRate: 0.5 });
  await byHand("DELETE FROM payments.account WHERE account_id = (SELECT max(account_id) FROM payments.txn)");
  await expect(audit("r1")).rejects.toMatchObject({ code: "NOT_SEEDED" });
  await byHand("DELETE FROM payments.txn WHERE occurred_at >= '2025-02-01' AND occurred_at < '2025-03-01'");
  await expect(audit("r1")).rejects.toMatchObject({
    code: "LEAF_CHANGED",
    message: expect.stringContaining("txn_2025_02 has no row of run r1"),
  });
  await byHand("DROP TABLE payments.txn_2025_02");
  await expect(audit("r1")).rejects.toMatchObject({
    code: "LEAF_CHANGED",
    message: expect.stringContaining("txn_2025_02 is missing"),
  });
});
