import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { pause } from "../lib/timing.js";
import { createVhost, dropVhost } from "./harness/broker.js";
import { Cluster } from "./harness/cluster.js";
import { eventually } from "./harness/eventually.js";
import { freePort } from "./harness/free_port.js";
import { payments } from "./harness/process.js";
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

test("lists are read on the replica while it is near, and on the primary while it is late, frozen or dead; no read fails", async () => {
  await cluster.up(async () => {
    await cluster.provision("payments");
    expect(await payments(settings(), "migrate", "up")).toMatchObject({ code: 0 });
    let serving: Serving | undefined;
    let crowd: Crowd | undefined;
    const stand = async () => ((await (await fetch(`${serving?.url}/readyz`)).json()) as Ready).replicas[0];
    const answeredBy = async (by: string) => {
      const text = await (await fetch(`${serving?.url}/metrics`)).text();
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
      const [of, none] = [await answeredBy(by), await answeredBy(other)];
      await eventually(`answers by the ${by}`, async () => (await answeredBy(by)) > of + 20);
      expect(await answeredBy(other)).toBe(none);
    };

    await cluster.withStandby(port, async () => {
      serving = await Serving.start(settings(), "payments");
      await serving.ready();
      await used(true);
      crowd = new Crowd(serving.url);
      await expectAnswersBy("replica");
      expect(await stand()).toMatchObject({ replica: `127.0.0.1:${port}`, used: true });

      // It hears of everything, and shows nothing of it.
      await cluster.superuser("SELECT pg_wal_replay_pause()", "postgres", port);
      await used(false);
      expect((await stand()).lag_s).toBeGreaterThan(MAX_LAG_S);
      await expectAnswersBy("primary");
      await cluster.superuser("SELECT pg_wal_replay_resume()", "postgres", port);
      await used(true);
      await expectAnswersBy("replica");

      for (const process_ of [standby()]) {
        const backends = readFileSync(`/proc/${process_}/task/${process_}/children`, "utf8")
          .trim()
          .split(" ")
          .map(Number);
        const all = [process_, ...backends];
        for (const pid of all) {
          process.kill(pid, "SIGSTOP");
        }
        await used(false);
        await expectAnswersBy("primary");
        for (const pid of all) {
          process.kill(pid, "SIGCONT");
        }
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
      await crowd?.end();
      console.info(`${crowd?.reads} reads, the slowest ${Math.round(crowd?.slowestMs ?? 0)} ms`);
      expect(crowd?.complaints).toEqual([]);
      expect(await serving?.stop()).toBe(0);
    });
  });
});
