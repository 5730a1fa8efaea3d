import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../../tests/harness/eventually.js";
import { Platform } from "../../tests/harness/platform.js";
import type { Client, Pool } from "./pool.js";
import { createServicePool } from "./service_pool.js";

let platform: Platform;
let pool: Pool;
beforeAll(async () => {
  platform = await Platform.create();
  const of = { role: "payments_wallet", schema: "wallet", applicationName: "frozen" };
  pool = createServicePool(platform.settings, { ...of, max: 2 });
});
afterAll(async () => {
  await pool?.end();
  await platform?.close();
});

test("whoever waits for a lock of a frozen process has given up before that is ended, and is not granted it in the same process", async () => {
  const lock = "SELECT pg_advisory_xact_lock(1)";
  const holder: Client = await pool.connect();
  let ended = false;
  holder.on("error", () => {
    ended = true;
  });
  try {
    await holder.query("BEGIN");
    await holder.query(lock);
    await expect(pool.query(lock)).rejects.toMatchObject({ code: "55P03" });
    expect(ended).toBe(false);
    await eventually("the holder is ended", () => ended);
  } finally {
    holder.release(true);
  }
});
