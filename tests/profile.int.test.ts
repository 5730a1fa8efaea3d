import { afterAll, beforeAll, expect, test } from "vitest";
import { profileOf } from "../etl/profile/read.js";
import { withPool } from "./harness/database.js";
import { Platform } from "./harness/platform.js";
import { payments } from "./harness/process.js";

/** Both sides are made of the same rows. */
const DIGITS = 6;
let platform: Platform;
beforeAll(async () => {
  platform = await Platform.create();
});
afterAll(() => platform.close());

test("without data, and of a month without any, it says so", async () => {
  const empty = await payments(platform.settings, "profile");
  expect(empty).toMatchObject({ code: 1, stdout: "" });
  expect(empty.stderr).toMatch(/^payments: MONTH_UNKNOWN: no month is published, or none has a row\./);
  const unknown = await payments(platform.settings, "profile", "2025-13");
  expect(unknown).toMatchObject({ code: 2 });
  expect(unknown.stderr).toMatch(/USAGE_INVALID/);
});

test("shapes are those of the rows that stand, of all months or of one", async () => {
  await platform.load({ rows: 30_000, toOn: "2025-03-01" });
  const all = await profileOf(platform.pool);
  expect(all).toMatchObject({
    rows: await platform.value<number>("SELECT count(*) FROM txn"),
    months: ["2025-01-01", "2025-02-01"],
  });
  const found = (name: string) => all.shapes.find(({ shape }) => shape === name)?.found;
  const value = (sql: string) => platform.value<number>(sql);
  expect(found("rows across a border")).toBeCloseTo(
    await value(`SELECT avg((a.country <> m.country)::int)::float8
                 FROM txn JOIN payments.account a USING (account_id) JOIN payments.merchant m USING (merchant_id)`),
    DIGITS,
  );
  expect(found("approved, online")).toBeCloseTo(
    await value(
      "SELECT avg((status <> 'declined')::int)::float8 FROM txn WHERE channel = 'ecom' AND kind <> 'refund'",
    ),
    DIGITS,
  );
  expect(found("refunds, of all rows")).toBeCloseTo(
    await value("SELECT avg((kind = 'refund')::int)::float8 FROM txn"),
    DIGITS,
  );
  const lags = await value(
    `SELECT array_agg(extract(epoch FROM r.occurred_at - o.occurred_at)::float8 / 3600)
     FROM txn r JOIN txn o ON o.txn_id = r.original_txn_id WHERE r.kind = 'refund'`,
  );
  const sorted = (lags as unknown as number[]).sort((a, b) => a - b);
  const middle = sorted[Math.ceil(sorted.length / 2) - 1] ?? 0;
  expect(found("refund after its purchase, half of them")).toBeCloseTo(middle, DIGITS);
  expect(all.shapes[0]).toMatchObject({ shape: "first digits of purchases", verdict: "near" });

  const json = await payments(platform.settings, "profile", "2025-02", "--json");
  expect(json).toMatchObject({ code: 0, stderr: "" });
  expect(JSON.parse(json.stdout)).toMatchObject({
    rows: await value("SELECT count(*) FROM txn WHERE occurred_at >= '2025-02-01'"),
    months: ["2025-02-01"],
  });
  const text = await payments(platform.settings, "profile");
  expect(text.stdout).toMatch(/^first digits of purchases .* near$/m);
  expect((await payments(platform.settings, "profile", "2026-01")).stderr).toMatch(
    /2026-01 is not published/,
  );

  await withPool({ role: "admin", database: platform.settings.POSTGRES_DB }, (pool) =>
    pool.query("SET ROLE payments_owner; DELETE FROM payments.txn WHERE occurred_at >= '2025-02-01'"),
  );
  expect((await payments(platform.settings, "profile", "2025-02")).stderr).toMatch(/2025-02 has no row/);
});
