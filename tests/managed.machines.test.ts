import { chmodSync, chownSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { withSession } from "../jobs/backup/address.js";
import { postgresTool } from "../jobs/backup/postgres_tool.js";
import { withServer } from "../jobs/backup/server.js";
import { Away } from "./harness/away.js";
import { createVhost, dropVhost } from "./harness/broker.js";
import { authority, certified } from "./harness/certificate.js";
import { Cluster } from "./harness/cluster.js";
import { eventually } from "./harness/eventually.js";
import { backups, payments, WorkerProcess } from "./harness/process.js";
import { Serving } from "./harness/serving.js";
import { testSettings } from "./harness/settings.js";

const DATABASE = "books";
const VHOST = "managed";
/** As a managed service names its owner, who is no superuser. */
const OWNER = "dba";

let cluster: Cluster;
let away: Away;
let folder: string;
let ca: string;
let otherCa: string;

beforeAll(async () => {
  cluster = await Cluster.create();
  away = Away.open();
  await createVhost(testSettings(), VHOST);
  folder = cluster.own("tls");
  const ours = authority(folder);
  [ca, otherCa] = [ours.cert, authority(folder, "other").cert];
  const { key, cert } = certified(folder, ours, `IP:${away.host}`);
  const { owner } = cluster;
  if (owner) {
    for (const path of [folder, key, cert]) {
      chownSync(path, owner.uid, owner.gid);
    }
  }
  await cluster.up(() =>
    cluster.superuser(`CREATE ROLE ${OWNER} LOGIN CREATEROLE CREATEDB PASSWORD 'cluster'`, "postgres"),
  );
  // Nobody comes in without TLS, and no superuser at all.
  const rules = ["host all postgres all reject", "hostssl all all all scram-sha-256"];
  writeFileSync(join(cluster.folder, "data", "pg_hba.conf"), `${rules.join("\n")}\n`);
});
afterAll(async () => {
  away.close();
  await dropVhost(testSettings(), VHOST);
  cluster.remove();
});

const settings = (more: Record<string, string> = {}) =>
  testSettings({
    ...cluster.settings(),
    POSTGRES_HOST: away.host,
    POSTGRES_DB: DATABASE,
    POSTGRES_SSLMODE: "verify-full",
    POSTGRES_SSLROOTCERT: ca,
    RABBITMQ_VHOST: VHOST,
    WORKER_METRICS_PORT: "0",
    ...more,
  });

const asOwner = () => ({
  host: away.host,
  port: cluster.port,
  user: OWNER,
  password: "cluster",
  database: "postgres",
  tls: "verify-full" as const,
  rootCert: ca,
});

/** Runs `work` while the server is up on its host. */
async function up(work: () => Promise<void>, ssl: "on" | "off" = "on"): Promise<void> {
  const { uid, gid } = cluster.owner ?? { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const postgres = await postgresTool("postgres", cluster.major);
  const program = join(cluster.folder, "postgres_there");
  const dropped = cluster.owner ? `setpriv --reuid=${uid} --regid=${gid} --clear-groups --pdeathsig=INT` : "";
  writeFileSync(program, `#!/bin/sh\nexec ${away.prefix.join(" ")} ${dropped} ${postgres} "$@"\n`);
  chmodSync(program, 0o755);
  await withServer(
    {
      postgres: program,
      data: join(cluster.folder, "data"),
      log: join(cluster.folder, "log"),
      owner: undefined,
      // That it refuses is an answer too.
      ready: async () => {
        if (ssl === "on") {
          await withSession(asOwner(), (pool) => pool.query("SELECT"));
        } else {
          await eventually("listens", async () =>
            (await line({ POSTGRES_SSLMODE: "disable" })).includes("POSTGRES_AUTH"),
          );
        }
      },
      settings: {
        port: String(cluster.port),
        listen_addresses: "*",
        unix_socket_directories: "",
        fsync: "off",
        ssl,
        ssl_cert_file: join(folder, "cert.pem"),
        ssl_key_file: join(folder, "key.pem"),
      },
    },
    work,
  );
}

async function ok(...command: string[]): Promise<string> {
  const { code, stdout, stderr } = await payments(settings(), ...command);
  expect({ command, code, stderr, stdout }).toMatchObject({ command, code: 0 });
  return stdout;
}

/** What a command that cannot connect says: one line. */
async function line(more: Record<string, string>, exit = 1): Promise<string> {
  const { code, stderr } = await payments(settings(more), "status");
  const lines = stderr.trim().split("\n");
  expect({ code, lines: lines.length }).toEqual({ code: exit, lines: 1 });
  return lines[0] ?? "";
}

test("all of bootstrap's steps work for an owner without power, on another host, in another database, inside TLS", () =>
  up(async () => {
    // Any number of times.
    await cluster.provision(DATABASE, asOwner());
    await cluster.provision(DATABASE, asOwner());
    await ok("migrate", "up");
    await ok("migrate", "verify");
    await ok("seed");
    await ok("wallets", "seed");
    const worker = await WorkerProcess.start(settings());
    await ok("kickoff", "--rows", "20000", "--wait");
    await ok("verify");
    const serving = await Serving.start(settings());
    await serving.ready();
    const made = await fetch(`${serving.url}/payments`, {
      method: "POST",
      headers: { "content-type": "application/json", "idempotency-key": "managed" },
      body: JSON.stringify({
        amount: 10.5,
        currency: "USD",
        method: "credit_card",
        customer_id: "customer-123",
      }),
    });
    expect(made.status).toBe(201);
    const { id } = (await made.json()) as { id: string };
    await eventually("decided", async () => {
      const payment = (await (await fetch(`${serving.url}/payments/${id}`)).json()) as { status: string };
      return payment.status === "APPROVED";
    });
    await eventually("the books agree", async () => (await payments(settings(), "audit")).code === 0, {
      withinMs: 60_000,
    });
    expect(await ok("doctor")).not.toContain("FAIL");
    const backup = settings({ BACKUP_DIR: cluster.own("backups") });
    expect(await backups(backup, "backup")).toMatchObject({ code: 0 });
    expect(await backups(backup, "restore", "--into", "books_again", "--force")).toMatchObject({ code: 0 });
    expect(await serving.stop()).toBe(0);
    expect(await worker.stop()).toBe(0);
  }));

test("what is not to be trusted is refused in one line with a code", async () => {
  await up(async () => {
    expect(await line({ POSTGRES_SSLMODE: "disable" })).toMatch(
      /^payments: POSTGRES_AUTH: .*POSTGRES_SSLMODE=require/,
    );
    expect(await line({ POSTGRES_SSLROOTCERT: otherCa })).toMatch(
      /^payments: POSTGRES_TLS: .*POSTGRES_SSLROOTCERT/,
    );
    expect(await line({ POSTGRES_HOST: away.alias })).toMatch(
      /^payments: POSTGRES_TLS: .*ERR_TLS_CERT_ALTNAME_INVALID/,
    );
    expect(await line({ POSTGRES_SSLROOTCERT: "/nowhere.pem" }, 2)).toMatch(
      /^payments: SETTINGS_INVALID: .*nowhere/,
    );
    for (const tls of ["verify-ca", "require"] as const) {
      const { rows } = await withSession({ ...asOwner(), host: away.alias, tls }, (pool) =>
        pool.query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"),
      );
      expect(rows).toEqual([{ ssl: true }]);
    }
  });
  await up(async () => {
    for (const mode of ["require", "verify-ca", "verify-full"]) {
      expect(await line({ POSTGRES_SSLMODE: mode })).toMatch(/^payments: POSTGRES_TLS: .*has no TLS/);
    }
  }, "off");
});
