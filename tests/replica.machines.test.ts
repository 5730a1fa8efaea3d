import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { postgresTool } from "../jobs/backup/postgres_tool.js";
import { packageRoot } from "../lib/root.js";
import { pause } from "../lib/timing.js";
import { createVhost, dropVhost } from "./harness/broker.js";
import { Cluster } from "./harness/cluster.js";
import { withPool } from "./harness/database.js";
import { eventually } from "./harness/eventually.js";
import { freePort } from "./harness/free_port.js";
import { backups, payments } from "./harness/process.js";
import { asSuperuser, killServer, startServers } from "./harness/servers.js";
import { Serving } from "./harness/serving.js";
import { testSettings } from "./harness/settings.js";

const VHOST = "replica";
const MAX_LAG_S = 3;
const READERS = 4;

let cluster: Cluster;
let port: number;
beforeAll(async () => {
  cluster = await Cluster.create();
  port = await freePort();
  await createVhost(testSettings(), VHOST);
});
afterAll(async () => {
  await dropVhost(testSettings(), VHOST);
  cluster.remove();
});

const settings = () =>
  testSettings({
    ...cluster.settings(),
    POSTGRES_DB: "payments",
    POSTGRES_READ_HOSTS: `127.0.0.1:${port}`,
    POSTGRES_READ_MAX_LAG_S: String(MAX_LAG_S),
    RABBITMQ_VHOST: VHOST,
    LOG_LEVEL: "warn",
  });

interface Ready {
  readonly ready: boolean;
  readonly replicas: readonly [
    { readonly replica: string; readonly lag_s: number | null; readonly used: boolean },
  ];
}

/** Who makes payments and reads lists without end, and what they were answered that nobody should be. */
class Crowd {
  readonly complaints: string[] = [];
  reads = 0;
  slowestMs = 0;
  readonly #url: string;
  readonly #over = new AbortController();
  readonly #all: Promise<void>[];

  constructor(url: string) {
    this.#url = url;
    this.#all = [this.#pay(), ...Array.from({ length: READERS }, () => this.#read())];
  }

  async end(): Promise<void> {
    this.#over.abort();
    await Promise.all(this.#all);
  }

  async #pay(): Promise<void> {
    for (let n = 0; !this.#over.signal.aborted; n++) {
      const made = await post(this.#url, `crowd-${n % 5}`);
      // By its id it is there at once, wherever lists are read.
      const found = await fetch(`${this.#url}${made.headers.get("location")}`);
      if (made.status !== 201 || found.status !== 200) {
        this.complaints.push(`POST ${made.status}, GET of it ${found.status}`);
      }
      await pause(20);
    }
  }

  async #read(): Promise<void> {
    for (let n = 0; !this.#over.signal.aborted; n++) {
      const begunMs = performance.now();
      const { status } = await fetch(`${this.#url}/payments?customer_id=crowd-${n % 5}`);
      this.slowestMs = Math.max(this.slowestMs, performance.now() - begunMs);
      this.reads += 1;
      if (status !== 200) {
        this.complaints.push(`GET ${status}`);
      }
      await pause(5);
    }
  }
}

function post(url: string, customer: string): Promise<Response> {
  return fetch(`${url}/payments`, {
    method: "POST",
    headers: { "content-type": "application/json", "idempotency-key": crypto.randomUUID() },
    body: JSON.stringify({ amount: 1, currency: "USD", method: "credit_card", customer_id: customer }),
  });
}

const standby = () =>
  Number(readFileSync(join(cluster.folder, "standby", "postmaster.pid"), "utf8").split("\n")[0]);

function signalStandby(signal: NodeJS.Signals): void {
  const children = readFileSync(`/proc/${standby()}/task/${standby()}/children`, "utf8").trim();
  for (const pid of [standby(), ...children.split(" ").map(Number)]) {
    process.kill(pid, signal);
  }
}

test("lists are read on the replica while it is near, and on the primary while it is late, frozen or dead; no read fails", async () => {
  await cluster.up(async () => {
    await cluster.provision("payments");
    expect(await payments(settings(), "migrate", "up")).toMatchObject({ code: 0 });
    const serving = await Serving.start(settings(), "payments");
    await serving.ready();
    const crowd = new Crowd(serving.url);
    const stand = async () => ((await (await fetch(`${serving.url}/readyz`)).json()) as Ready).replicas[0];
    const answeredBy = async (by: string) => {
      const text = await (await fetch(`${serving.url}/metrics`)).text();
      return Number(
        new RegExp(
          `^payments_replica_reads_total\\{service="payment-service",by="${by}"\\} (\\d+)`,
          "m",
        ).exec(text)?.[1] ?? 0,
      );
    };
    const used = (is: boolean) =>
      eventually(`used: ${is}`, async () => (await stand()).used === is, { withinMs: 20_000 });
    /** Who answers from now on: the one, and not the other. */
    const expectAnswersBy = async (by: "replica" | "primary") => {
      const other = by === "replica" ? "primary" : "replica";
      await pause(250); // what was under way
      const [of, none] = [await answeredBy(by), await answeredBy(other)];
      await eventually(`answers by the ${by}`, async () => (await answeredBy(by)) > of + 20);
      expect(await answeredBy(other)).toBe(none);
    };

    try {
      await cluster.withStandby(port, async () => {
        await used(true);
        await expectAnswersBy("replica");
        expect(await stand()).toMatchObject({ replica: `127.0.0.1:${port}`, used: true });

        // It hears of everything, and shows nothing of it.
        await cluster.superuser("SELECT pg_wal_replay_pause()", "postgres", port);
        await used(false);
        expect((await stand()).lag_s).toBeGreaterThanOrEqual(MAX_LAG_S);
        await expectAnswersBy("primary");
        await cluster.superuser("SELECT pg_wal_replay_resume()", "postgres", port);
        await used(true);
        await expectAnswersBy("replica");

        // Backups are the primary's, and nobody's concern.
        const backup = { ...settings(), BACKUP_DIR: cluster.own("backups") };
        for (const kind of [[], ["--base"]]) {
          expect(await backups(backup, "backup", ...kind)).toMatchObject({ code: 0 });
        }

        signalStandby("SIGSTOP");
        try {
          await used(false);
          await expectAnswersBy("primary");
        } finally {
          signalStandby("SIGCONT");
        }
        await used(true);
        process.kill(standby(), "SIGKILL");
        await used(false);
        expect((await stand()).lag_s).toBe(null);
        await expectAnswersBy("primary");
      });
      // Started anew, where it was.
      await cluster.withStandby(port, async () => {
        await used(true);
        await expectAnswersBy("replica");
      });
    } finally {
      await crowd.end();
      expect(await serving.stop()).toBe(0);
    }
    console.info(`${crowd.reads} reads, the slowest ${Math.round(crowd.slowestMs)} ms`);
    expect(crowd.complaints).toEqual([]);
  });
});

test("the local stack's replica streams, comes back after either's death and what the slot has lost, and goes", async () => {
  const streaming = () =>
    withPool({ role: "admin" }, async (admin) => {
      const { rows } = await admin.query(
        "SELECT state FROM pg_stat_replication WHERE application_name = 'replica'",
      );
      return rows[0]?.state === "streaming";
    });
  const slots = () =>
    withPool(
      { role: "admin" },
      async (admin) => (await admin.query("SELECT FROM pg_replication_slots")).rowCount,
    );
  try {
    await startServers("--with-replica");
    await eventually("streams", streaming);
    await killServer("replica", "SIGQUIT");
    await startServers();
    await eventually("streams after its death", streaming);
    await killServer("postgres", "SIGQUIT");
    await startServers();
    await eventually("streams after the primary's death", streaming);
    // As if it had been away for longer than the slot keeps the log.
    await killServer("replica", "SIGQUIT");
    await asSuperuser("SELECT pg_drop_replication_slot('replica')");
    await startServers();
    await eventually("streams, copied anew", streaming);
    // What the primary has more of, and then less again, by a setting that came with no copy.
    for (const change of ["SET max_connections = 120", "RESET max_connections"]) {
      await asSuperuser(`ALTER SYSTEM ${change}`);
      await killServer("replica", "SIGINT");
      await killServer("postgres", "SIGINT");
      await startServers();
      await eventually(`streams after ${change}`, streaming);
    }
  } finally {
    await asSuperuser("ALTER SYSTEM RESET max_connections");
    await startServers("--without-replica");
  }
  expect(await slots()).toBe(0);
});

test("compose's replica is copied anew by a slot of its own, where the old one has lost what it kept", async () => {
  const one = await Cluster.create();
  const replicaPort = await freePort();
  const ask = <T>(sql: string) => one.superuser<T>(sql, "postgres");
  const state = () => ask<string>("SELECT max(wal_status) FROM pg_replication_slots");
  try {
    await one.up(
      async () => {
        await one.provision("payments");
        await ask("SELECT pg_create_physical_replication_slot('replica', true)");
        for (let segment = 0; segment < 6; segment++) {
          await ask("CREATE TABLE t AS SELECT 1");
          await ask("DROP TABLE t");
          await ask("SELECT pg_switch_wal()");
        }
        await ask("CHECKPOINT");
        expect(await state()).toBe("lost");
        const { owner: { uid, gid } = {} } = one;
        const own = { listen_addresses: "127.0.0.1", port: replicaPort, unix_socket_directories: "" };
        // Compose gives both servers the same configuration.
        const same = await ask<Record<string, string>>(
          "SELECT json_object_agg(name, setting) FROM pg_settings WHERE name IN ('max_connections', 'max_locks_per_transaction')",
        );
        const options = Object.entries({ ...own, ...same }).flatMap(([name, value]) => [
          "-c",
          `${name}=${value}`,
        ]);
        const tool = await postgresTool("postgres", one.major);
        const script = join(one.folder, "replica.sh"); // where the server's user can read it
        writeFileSync(script, readFileSync(join(packageRoot, "compose", "replica.sh")), { mode: 0o755 });
        const replica = spawn(script, options, {
          env: {
            PATH: `${dirname(tool)}:${process.env["PATH"]}`,
            PGHOST: "127.0.0.1",
            PGPORT: String(one.port),
            PGUSER: "payments_backup",
            PGPASSWORD: one.settings()["POSTGRES_BACKUP_PASSWORD"],
            PGDATA: join(one.folder, "replica", "data"),
          },
          stdio: "ignore",
          cwd: one.folder,
          ...(uid === undefined ? {} : { uid, gid }),
        });
        const ended = once(replica, "exit");
        try {
          const streams = "SELECT count(*)::int FROM pg_stat_replication WHERE application_name = 'replica'";
          await eventually("streams", async () => (await ask(streams)) === 1, { withinMs: 60_000 });
          expect(await state()).toBe("reserved");
        } finally {
          replica.kill("SIGINT");
          await ended;
        }
      },
      undefined,
      { max_slot_wal_keep_size: "64MB" },
    );
  } finally {
    one.remove();
  }
});
