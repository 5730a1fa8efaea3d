import { chownSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { AllSettings } from "../app/settings.js";
import { addressOf, withSession } from "../jobs/backup/address.js";
import { execute, postgresTool } from "../jobs/backup/postgres_tool.js";
import { serverOwner } from "../jobs/backup/server.js";
import type { Pool } from "../lib/postgres/pool.js";
import { withPool } from "../lib/postgres/with_pool.js";
import { waitingMends } from "../lib/retry.js";
import { selfSigned } from "./harness/certificate.js";
import { Cluster } from "./harness/cluster.js";
import { eventually } from "./harness/eventually.js";
import { payments, startPayments } from "./harness/process.js";
import { testSettings } from "./harness/settings.js";

let cluster: Cluster;
let cert: string;
beforeAll(async () => {
  cluster = await Cluster.create();
  const folder = cluster.own("tls");
  const files = selfSigned(folder);
  cert = files.cert;
  const owner = await serverOwner();
  if (owner) {
    for (const path of [folder, files.key, cert]) {
      chownSync(path, owner.uid, owner.gid);
    }
  }
  // The test itself comes in without TLS, as postgres; everybody else has to speak it.
  const hba = join(cluster.folder, "data", "pg_hba.conf");
  const rules = ["hostnossl all postgres 127.0.0.1/32", "hostssl all all 127.0.0.1/32"];
  writeFileSync(hba, rules.map((rule) => `${rule} scram-sha-256\n`).join(""));
});
afterAll(() => cluster.remove());

function up<T>(work: () => Promise<T>, more: Record<string, string> = {}): Promise<T> {
  const folder = join(cluster.folder, "tls");
  const tls = {
    ssl: "on",
    ssl_cert_file: join(folder, "cert.pem"),
    ssl_key_file: join(folder, "key.pem"),
    archive_mode: "off",
  };
  return cluster.up(work, join(cluster.folder, "data"), { ...tls, ...more });
}

function settings(more: Partial<Record<keyof AllSettings, string>> = {}): AllSettings {
  return { ...testSettings({ ...cluster.settings(), ...more }), POSTGRES_DB: "postgres" };
}

const guest = (more: Partial<Record<keyof AllSettings, string>> = {}) =>
  settings({ POSTGRES_USER: "guest", POSTGRES_SSLMODE: "require", ...more });

const inTls = async (pool: Pool) => {
  const { rows } = await pool.query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
  return rows[0]?.ssl;
};
const refusal = (as: AllSettings) => withPool(as, {}, inTls).catch((error: unknown) => error);

describe("a server that wants TLS", () => {
  test("gets it, from the driver and from PostgreSQL's own programs, and is trusted in its own name only", () =>
    up(async () => {
      const password = settings().POSTGRES_PASSWORD;
      await cluster.superuser(`CREATE ROLE guest LOGIN PASSWORD '${password}'`, "postgres");
      await cluster.superuser(
        `CREATE ROLE crowd LOGIN CONNECTION LIMIT 0 PASSWORD '${password}'`,
        "postgres",
      );

      const plain = await refusal(guest({ POSTGRES_SSLMODE: "disable" }));
      expect(plain).toMatchObject({
        code: "POSTGRES_AUTH",
        hint: expect.stringContaining("POSTGRES_SSLMODE=require"),
      });
      expect(await withPool(guest(), {}, inTls)).toBe(true);

      const full = { POSTGRES_SSLMODE: "verify-full" };
      expect(await refusal(guest(full))).toMatchObject({ code: "POSTGRES_TLS" });
      expect(await refusal(guest({ ...full, POSTGRES_SSLROOTCERT: cert }))).toMatchObject({
        code: "POSTGRES_TLS",
      });
      const named = guest({ ...full, POSTGRES_SSLROOTCERT: cert, POSTGRES_HOST: "localhost" });
      expect(await withPool(named, {}, inTls)).toBe(true);

      const psql = await postgresTool("psql", 15);
      for (const as of [guest(), named]) {
        const address = addressOf(as, "loader");
        const sql = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
        expect((await execute(psql, ["-XAtc", sql], { address })).trim()).toBe("t");
        expect(await withSession(address, inTls)).toBe(true);
      }
      const untrusted = addressOf(guest(full), "loader");
      await expect(execute(psql, ["-XAtc", "SELECT"], { address: untrusted })).rejects.toThrow("certificate");

      const crowded = await refusal(guest({ POSTGRES_USER: "crowd" }));
      expect(crowded).toMatchObject({ code: "POSTGRES_EXHAUSTED" });
      expect(waitingMends(crowded)).toBe(true);
    }));
});

describe("a standby", () => {
  test("is named by doctor, refuses what writes, and a worker waits for its promotion", async () => {
    await up(() => cluster.provision("payments"));
    const own = { ...cluster.settings(), POSTGRES_USER: "postgres" };
    const as = { ...testSettings(own), POSTGRES_DB: "payments", POSTGRES_ADMIN_USER: "postgres" };
    await up(async () => {
      for (const command of [["migrate", "up"], ["seed"]]) {
        expect(await payments(as, ...command)).toMatchObject({ code: 0 });
      }
    });
    writeFileSync(join(cluster.folder, "data", "standby.signal"), "");
    await up(async () => {
      const { stdout } = await payments(as, "doctor");
      expect(stdout).toMatch(/^writable +FAIL +POSTGRES_READ_ONLY: .* standby/m);
      const kickoff = await payments(as, "kickoff", "--rows", "10");
      expect(kickoff).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/^payments: POSTGRES_READ_ONLY: /),
      });
      expect(kickoff.stderr.trim().split("\n")).toHaveLength(1);

      const worker = startPayments({ ...as, LOG_LEVEL: "info", WORKER_METRICS_PORT: 0 }, "worker");
      await eventually("waiting", () => worker.output.stderr.includes('"code":"25006"'));
      await cluster.superuser("SELECT pg_promote()", "postgres");
      await eventually("ready", () => worker.output.stderr.includes("worker ready"), { withinMs: 30_000 });
      worker.child.kill("SIGTERM");
      expect((await worker.ended).code).toBe(0);
    });
  });
});
