import { execFileSync } from "node:child_process";
import { mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ETL_QUEUES } from "../etl/queues.js";
import { loadSql } from "../lib/postgres/sql.js";
import { drain, publishByHand } from "./harness/broker.js";
import { withPool } from "./harness/database.js";
import { eventually } from "./harness/eventually.js";
import { Platform } from "./harness/platform.js";
import { payments, WorkerProcess } from "./harness/process.js";
import { asSuperuser, rabbitmqctl } from "./harness/servers.js";

/** A file system of its own that can be filled, as only root can make one. */
const MAY_MOUNT = process.getuid?.() === 0;

let platform: Platform;
let worker: WorkerProcess;
beforeAll(async () => {
  platform = await Platform.create();
  await platform.load({ rows: 1_000, toOn: "2025-02-01" });
  worker = await WorkerProcess.start({ ...platform.settings, WORKER_METRICS_PORT: 0 });
});
afterAll(async () => {
  await worker.stop();
  await platform.close();
});

/** The checks that fail, by name, with what they say. */
async function failures(settings: Record<string, string | number> = {}): Promise<Record<string, string>> {
  const { code, stdout, stderr } = await payments({ ...platform.settings, ...settings }, "doctor", "--json");
  expect(stderr).toBe("");
  const { ok, findings } = JSON.parse(stdout) as {
    ok: boolean;
    findings: { what: string; ok: boolean; note: string }[];
  };
  const failed = findings.filter((finding) => !finding.ok);
  expect({ ok, code }).toEqual(failed.length === 0 ? { ok: true, code: 0 } : { ok: false, code: 1 });
  return Object.fromEntries(failed.map(({ what, note }) => [what, note]));
}

const alter = (change: string) => asSuperuser(`ALTER DATABASE ${platform.settings.POSTGRES_DB} ${change}`);
const asOwner = (sql: string) =>
  withPool({ role: "admin", database: platform.settings.POSTGRES_DB }, (pool) => pool.query(sql));

describe("doctor", () => {
  test("finds nothing wrong where all is well", async () => {
    const { code, stdout, stderr } = await payments(platform.settings, "doctor");
    expect({ code, stderr, failed: stdout.match(/^.*FAIL.*$/gm) }).toEqual({
      code: 0,
      stderr: "",
      failed: null,
    });
    for (const what of ["node", "postgres", "writable", "role", "rights", "disk", "schema", "seed"]) {
      expect(stdout).toMatch(new RegExp(`^${what} +ok `, "m"));
    }
    for (const what of ["rabbitmq", "alarm", "worker", "dead letters"]) {
      expect(stdout).toMatch(new RegExp(`^${what} +ok `, "m"));
    }
  });

  test("names the server that is away, and a role whose password is wrong", async () => {
    const away = await failures({ POSTGRES_PORT: 1 });
    expect(away).toMatchObject({ postgres: expect.stringContaining("POSTGRES_UNREACHABLE: ") });
    expect(away).not.toHaveProperty("rabbitmq");
    const wrong = await failures({ POSTGRES_BACKUP_PASSWORD: "sesame" });
    expect(wrong).toEqual({ role: expect.stringMatching(/^POSTGRES_AUTH: .*payments_backup/) });
  });

  test("one server by two names is one primary", async () => {
    const { POSTGRES_PORT: port } = platform.settings;
    expect(await failures({ POSTGRES_HOST: `127.0.0.1:${port},localhost:${port}` })).toEqual({});
  });

  test("a database that is read-only", async () => {
    await alter("SET default_transaction_read_only = on");
    try {
      expect(await failures()).toEqual({
        writable: expect.stringMatching(/^POSTGRES_READ_ONLY: .* set by: database\. /),
      });
    } finally {
      await alter("RESET default_transaction_read_only");
    }
  });

  test("a right that was taken", async () => {
    const leaf = "payments.txn_2025_01";
    await asOwner(`REVOKE INSERT ON ${leaf} FROM payments_loader`);
    try {
      const { rights } = await failures();
      expect(rights).toContain(`payments_loader: INSERT on ${leaf.replace("payments.", "")}`);
    } finally {
      await asOwner(`GRANT INSERT ON ${leaf} TO payments_loader`);
    }
  });

  test("letters in the dead-letter queue", async () => {
    await publishByHand(platform.settings, ETL_QUEUES.deadLetter, "a letter");
    try {
      expect(await failures()).toEqual({ "dead letters": expect.stringContaining("1 in etl_queue.dlq") });
    } finally {
      await drain(platform.settings, ETL_QUEUES.deadLetter);
    }
  });

  test("a broker in alarm", async () => {
    const environment = await rabbitmqctl("environment");
    const limit = environment.match(/vm_memory_high_watermark,\{absolute,"?([^"}]+)/)?.[1] ?? "512MiB";
    await rabbitmqctl("set_vm_memory_high_watermark", "absolute", "1");
    try {
      expect(await failures()).toEqual({ alarm: expect.stringMatching(/^RABBITMQ_ALARM: .*low on memory/) });
    } finally {
      await rabbitmqctl("set_vm_memory_high_watermark", "absolute", limit);
    }
    await eventually("no alarm", async () => Object.keys(await failures()).length === 0, {
      withinMs: 30_000,
    });
  });

  test("no worker", async () => {
    expect(await worker.stop()).toBe(0);
    expect(await failures()).toEqual({ worker: expect.stringContaining("payments worker") });
    worker = await WorkerProcess.start({ ...platform.settings, WORKER_METRICS_PORT: 0 });
  });

  test.runIf(MAY_MOUNT)("a disk of PostgreSQL's that is full", async () => {
    const mount = mkdtempSync(join(tmpdir(), "payments-doctor-"));
    const space = `small_${platform.settings.POSTGRES_DB}`;
    const options = "size=3m,mode=0700,uid=postgres,gid=postgres";
    execFileSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", mount]);
    try {
      await asSuperuser(`CREATE TABLESPACE ${space} LOCATION '${mount}'`);
      await asSuperuser(`GRANT CREATE ON TABLESPACE ${space} TO payments_loader`);
      await alter(`SET default_tablespace = ${space}`);
      expect(await failures()).toEqual({
        disk: expect.stringMatching(/^POSTGRES_EXHAUSTED: .* full .*53100/),
      });
    } finally {
      await alter("RESET default_tablespace");
      await asSuperuser(`DROP TABLESPACE IF EXISTS ${space}`);
      execFileSync("umount", [mount]);
      rmdirSync(mount);
    }
  });
});

test("every right that the loader was granted and needs is missed when it is taken", async () => {
  const roles = ["payments_loader", "payments_admin", "payments_backup"];
  await withPool({ role: "admin", database: platform.settings.POSTGRES_DB }, async (pool) => {
    const missing = async () =>
      (await pool.query<{ missing: string }>(loadSql("missing_rights"), roles)).rows;
    const { rows: granted } = await pool.query<{ what: string }>(
      `SELECT format('%s ON %s', privilege_type, oid::regclass) AS what
       FROM pg_class c, aclexplode(relacl) a
       WHERE grantee = 'payments_loader'::regrole AND relnamespace::regnamespace::text = ANY ('{payments,etl,staging,ops}')
         -- What only a curious person reads.
         AND oid::regclass::text <> ALL ('{ops.backup,ops.restore_drill,ops.backup_status}')
       UNION ALL
       SELECT format('EXECUTE ON FUNCTION %s', oid::regprocedure)
       FROM pg_proc p, aclexplode(proacl) WHERE grantee = 'payments_loader'::regrole
       UNION ALL
       SELECT format('USAGE ON SCHEMA %s', nspname)
       FROM pg_namespace, aclexplode(nspacl) WHERE grantee = 'payments_loader'::regrole
       UNION ALL
       SELECT 'INSERT (action, queue, letter_id, error_code, os_user, host, letters_total) ON ops.dead_letter_action'
       UNION ALL
       SELECT 'INSERT (queue, consumer, event, message_id, trace_id, code, last_code, attempts) ON ops.dead_letter'`,
    );
    expect(granted.length).toBeGreaterThan(40);
    expect(await missing()).toEqual([]);
    for (const { what } of granted) {
      await pool.query("BEGIN");
      await pool.query(`REVOKE ${what} FROM payments_loader`);
      expect([what, (await missing()).length]).toEqual([what, 1]);
      await pool.query("ROLLBACK");
    }
  });
});
