import { afterAll, beforeAll, expect, test } from "vitest";
import type { AllSettings } from "../app/settings.js";
import { connect, createPool } from "../lib/postgres/pool.js";
import { eventually } from "./harness/eventually.js";
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

const hint = expect.stringContaining("docs/pgbouncer.md");

test("what PgBouncer refuses is no missing server", () =>
  behindPgBouncer(platform.settings, async (settings) => {
    expect(await refusal({ ...settings, POSTGRES_PASSWORD: "" })).toMatchObject({ code: "POSTGRES_AUTH" });
    const tls = await refusal({ ...settings, POSTGRES_SSLMODE: "require" });
    expect(tls).toMatchObject({ code: "POSTGRES_TLS" });
    // 1.18 has one code for all of them, 1.24 that of PostgreSQL.
    const pooler = { code: "POSTGRES_UNREACHABLE", hint };
    const named = {
      code: "POSTGRES_AUTH",
      hint: expect.stringMatching(/POSTGRES_(USER|DB|PASSWORD)|pg_hba/),
    };
    for (const wrong of [
      { POSTGRES_PASSWORD: "x" },
      { POSTGRES_DB: "nowhere" },
      { POSTGRES_USER: "nobody" },
    ]) {
      const refused = (await refusal({ ...settings, ...wrong })) as { code: string };
      expect(refused).toMatchObject(refused.code === named.code ? named : pooler);
    }
  }));

test("a limit of PgBouncer's is no missing server either", () =>
  behindPgBouncer(
    platform.settings,
    async (settings) => {
      const pool = createPool(settings, { max: 1 });
      // A connection that was closed before counts until PgBouncer has noticed.
      const held = await eventually("the only connection", () => connect(pool).catch(() => false as const));
      try {
        expect(await refusal(settings)).toMatchObject({ code: "POSTGRES_UNREACHABLE", hint });
      } finally {
        held.release();
        await pool.end();
      }
    },
    ["max_client_conn = 1"],
  ));
