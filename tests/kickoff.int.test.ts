import { afterEach, beforeEach, expect, test } from "vitest";
import { requestedRows, topUp } from "../etl/ledger/run.js";
import { Platform, SMALL_SPEC } from "./harness/platform.js";

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
