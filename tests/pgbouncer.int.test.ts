import { afterAll, beforeAll, expect, test } from "vitest";
import type { AllSettings } from "../app/settings.js";
import { connect, createPool } from "../lib/postgres/pool.js";
import { behindPgBouncer } from "./harness/pgbouncer.js";
import { Platform } from "./harness/platform.js";
import { payments, WorkerProcess } from "./harness/process.js";

let platform: Platform;
beforeAll(async () => {
  platform = await Platform.create({ STAGE_TO: "2025-02-01", WORKER_METRICS_PORT: "0" });
});
afterAll(() => platform.close());

/** Why there is no connection. */
async function refusal(settings: AllSettings): Promise<unknown> {
  const pool = createPool(settings, { max: 1 });
  try {
    return await connect(pool).then(
      (client) => client.release(),
      (error: unknown) => error,
    );
  } finally {
    await pool.end();
  }
}

test("migrations, a run, its verification and doctor work through PgBouncer in session mode", () =>
  behindPgBouncer(platform.settings, async (settings) => {
    expect(await payments(settings, "migrate", "verify")).toMatchObject({ code: 0, stderr: "" });
    const worker = await WorkerProcess.start(settings);
    try {
      const loaded = await payments(settings, "kickoff", "--rows", "2000", "--wait", "--json");
      expect(loaded).toMatchObject({ code: 0 });
      expect(await payments(settings, "verify")).toMatchObject({ code: 0 });
      const { stdout } = await payments(settings, "doctor");
      expect(stdout.match(/^.*FAIL.*$/gm)).toBeNull();
    } finally {
      expect(await worker.stop()).toBe(0);
    }
  }));

test("what PgBouncer refuses is no missing server", () =>
  behindPgBouncer(
    platform.settings,
    async (settings) => {
      expect(await refusal({ ...settings, POSTGRES_PASSWORD: "" })).toMatchObject({ code: "POSTGRES_AUTH" });
      const tls = await refusal({ ...settings, POSTGRES_SSLMODE: "require" });
      expect(tls).toMatchObject({ code: "POSTGRES_TLS" });
      const pooler = { code: expect.stringMatching(/^POSTGRES_(AUTH|UNREACHABLE)$/) };
      const hint = expect.stringContaining("docs/pgbouncer.md");
      for (const wrong of [
        { POSTGRES_PASSWORD: "x" },
        { POSTGRES_DB: "nowhere" },
        { POSTGRES_USER: "nobody" },
      ]) {
        expect(await refusal({ ...settings, ...wrong })).toMatchObject({ ...pooler, hint });
      }
      const pool = createPool(settings, { max: 1 });
      const held = await connect(pool);
      try {
        expect(await refusal(settings)).toMatchObject({
          code: "POSTGRES_UNREACHABLE",
          hint: expect.stringContaining("docs/pgbouncer.md"),
        });
      } finally {
        held.release();
        await pool.end();
      }
    },
    ["max_client_conn = 1"],
  ));
