import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { withPool } from "../lib/postgres/with_pool.js";
import { Driver } from "./chaos/services/drive.js";
import { loadOf } from "./chaos/services/load.js";
import { compare, covered, readBooks } from "./chaos/services/verdict.js";
import { createVhost, dropVhost } from "./harness/broker.js";
import { Cluster } from "./harness/cluster.js";
import { eventually } from "./harness/eventually.js";
import { freePort } from "./harness/free_port.js";
import { backups, payments, WorkerProcess } from "./harness/process.js";
import { Serving } from "./harness/serving.js";
import { testSettings } from "./harness/settings.js";

const VHOST = "failover";
const PAYMENTS_PER_S = 20;
const GIVE_UP_S = 900;
/** From the promotion to an answer by the new primary. */
const FOUND_WITHIN_MS = 10_000;
const ROWS = 150_000;

let cluster: Cluster;
let standbyPort: number;
beforeAll(async () => {
  cluster = await Cluster.create();
  standbyPort = await freePort();
  await createVhost(testSettings(), VHOST);
});
afterAll(async () => {
  await dropVhost(testSettings(), VHOST);
  cluster.remove();
});

const places = () => [`127.0.0.1:${cluster.port}`, `127.0.0.1:${standbyPort}`];

function settings(more: Record<string, string> = {}) {
  return testSettings({
    ...cluster.settings(),
    POSTGRES_HOST: places().join(),
    POSTGRES_PORT: "1",
    POSTGRES_DB: "payments",
    RABBITMQ_VHOST: VHOST,
    RABBITMQ_HEARTBEAT_S: "2",
    WORKER_METRICS_PORT: "0",
    ...more,
  });
}

const ask = (port: number, sql: string) => cluster.superuser<unknown>(sql, "postgres", port);

/** Each commit waits for the standby from now on. */
async function waitForStandby(): Promise<void> {
  await ask(cluster.port, "ALTER SYSTEM SET synchronous_standby_names = '*'");
  await ask(cluster.port, "SELECT pg_reload_conf()");
  const state = "SELECT max(sync_state) FROM pg_stat_replication";
  await eventually("the primary waits for it", async () => (await ask(cluster.port, state)) === "sync");
}

/** As its machine's power would end it. */
function killPrimary(): void {
  const pid = readFileSync(join(cluster.folder, "data", "postmaster.pid"), "utf8").split("\n")[0];
  // Backends first, or some would answer for a moment yet.
  execFileSync("pkill", ["-KILL", "-P", String(pid)]);
  process.kill(Number(pid), "SIGKILL");
}

async function ok(...command: string[]): Promise<string> {
  const { code, stdout, stderr } = await payments(settings(), ...command);
  expect({ command, code, stderr }).toEqual({ command, code: 0, stderr: expect.anything() });
  return stdout;
}

test("the primary dies under load: its standby is found within seconds, and nothing is lost or doubled", async () => {
  await cluster.up(async () => {
    await cluster.provision("payments");
    await ok("migrate", "up");
    await ok("seed");
    await cluster.withStandby(standbyPort, async () => {
      await waitForStandby();
      expect((await payments(settings(), "doctor")).stdout).toMatch(
        new RegExp(
          `^postgres +ok +${cluster.major}\\.\\S+.*; 127.0.0.1:${cluster.port} primary, 127.0.0.1:${standbyPort} standby`,
          "m",
        ),
      );
      const worker = await WorkerProcess.start(settings());
      const serving = await Serving.start(settings(), "payments", "fraud", "wallet");
      await serving.ready();
      const load = loadOf({ seed: 5, stuck: false });
      const driver = new Driver(load, { payments: [serving.url], wallets: [serving.url] });
      await driver.openWallets();
      // The standby stands first there, and is passed over.
      const turned = settings({ POSTGRES_HOST: places().toReversed().join() });
      expect(await payments(turned, "kickoff", "--rows", String(ROWS))).toMatchObject({ code: 0 });
      const over = new AbortController();
      const paying = driver.pay(PAYMENTS_PER_S, over.signal);
      await eventually("payments come", () => driver.told.length >= PAYMENTS_PER_S);
      const staged = "SELECT count(*) FROM etl.chunk WHERE staged_at IS NOT NULL";
      await eventually("chunks come", async () =>
        withPool(settings(), {}, async (pool) => Number((await pool.query(staged)).rows[0]?.count) > 1),
      );

      killPrimary();
      await ask(standbyPort, "SELECT pg_promote()");
      const promotedMs = performance.now();
      const told = driver.told.length;
      await eventually("payments come again", () => driver.told.length > told, {
        withinMs: FOUND_WITHIN_MS,
        everyMs: 20,
      });
      console.info(`an answer ${Math.round(performance.now() - promotedMs)} ms after the promotion`);

      const since = driver.told.length;
      await eventually("and more", () => driver.told.length >= since + 2 * PAYMENTS_PER_S);
      over.abort();
      await paying;
      await driver.settled(60_000);
      expect(driver.complaints).toEqual([]);
      await eventually(
        "the run is done",
        async () => JSON.parse(await ok("status", "--json")).runs[0].state === "done",
        {
          withinMs: 120_000,
          everyMs: 1_000,
        },
      );
      await eventually(
        "the books agree",
        async () => (await payments(settings(), "audit", "--quiesced")).code === 0,
        {
          withinMs: 90_000,
          everyMs: 1_000,
        },
      );
      await ok("verify");
      await withPool(settings(), { role: "admin", bigints: "bigint" }, async (owner) => {
        await owner.query("SET ROLE payments_owner");
        const books = await readBooks(owner);
        const checks = compare(driver.told, load.customers, books, GIVE_UP_S);
        checks.push(covered(driver.told, load.customers, books));
        expect(checks.flatMap(({ complaints }) => complaints)).toEqual([]);
      });

      const doctor = await payments(settings(), "doctor");
      expect(doctor.stdout).toMatch(
        new RegExp(
          `^postgres +FAIL +POSTGRES_UNREACHABLE: 127.0.0.1:${cluster.port} FAIL, 127.0.0.1:${standbyPort} primary: nobody`,
          "m",
        ),
      );
      // PostgreSQL's own programs go by the same list.
      for (const kind of [[], ["--base"]]) {
        expect(
          await backups(settings({ BACKUP_DIR: cluster.own(`backups${kind.length}`) }), "backup", ...kind),
        ).toMatchObject({ code: 0 });
      }
      expect(await serving.stop()).toBe(0);
      expect(await worker.stop()).toBe(0);
      // Its machine is back, and knows of nothing.
      await cluster.up(async () => {
        const both = await payments(turned, "doctor");
        expect(both.stdout).toMatch(
          new RegExp(
            `^postgres +FAIL +127.0.0.1:${standbyPort} and 127.0.0.1:${cluster.port} are primaries`,
            "m",
          ),
        );
      });
    });
  });
  const nobody = await payments(settings(), "status");
  expect(nobody).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^payments: POSTGRES_UNREACHABLE: nobody.*; nobody/),
  });
  expect(nobody.stderr.trim().split("\n")).toHaveLength(1);
});
