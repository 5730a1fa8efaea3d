import { afterEach, beforeEach, expect, test } from "vitest";
import { MODULES } from "../app/modules.js";
import { EVENTS_EXCHANGE, queueNames } from "../lib/broker/topology.js";
import { RECORD } from "./chaos/checks.js";
import { Driver } from "./chaos/services/drive.js";
import { record, replay, takeRecord } from "./chaos/services/history.js";
import { type Load, loadOf } from "./chaos/services/load.js";
import { compare, readBooks } from "./chaos/services/verdict.js";
import { drain, onChannel } from "./harness/broker.js";
import { withPool } from "./harness/database.js";
import { eventually } from "./harness/eventually.js";
import { freePort } from "./harness/free_port.js";
import { Platform } from "./harness/platform.js";
import { payments, processState, startServiceAt } from "./harness/process.js";
import { sampled } from "./harness/sampled.js";
import { rabbitmqctl } from "./harness/servers.js";
import { Serving } from "./harness/serving.js";
import { asOwner, booksAgree, freeClaims } from "./harness/settled.js";

const SERVICES = ["payments", "fraud", "wallet"];
const PAYMENTS_PER_S = 15;
const MOST_UNANSWERED = 100;
/** Long after the test: no payment may need to be given up. */
const GIVE_UP_S = 900;
const FAMILIES = MODULES.filter(({ name }) => SERVICES.includes(name)).flatMap(({ queues }) => queues);

let platform: Platform;
let serving: Serving;
let load: Load;
let driver: Driver;
/** Where callers ask. */
let urls: string[];
/** Processes that signal themselves; those that are frozen, or did not get to their point, end with the test. */
let faulties: ReturnType<typeof startServiceAt>[];

beforeEach(async () => {
  faulties = [];
  platform = await Platform.create({
    RABBITMQ_HEARTBEAT_S: "1",
    // A sweep must have something to do.
    PAYMENTS_RESEND_AFTER_S: "2",
  });
  load = loadOf({ seed: 13, stuck: false });
  serving = await Serving.start(platform.settings, ...SERVICES);
  urls = [serving.url];
  driver = new Driver(load, { payments: urls, wallets: urls });
});
afterEach(async () => {
  for (const { child } of faulties ?? []) {
    child.kill("SIGKILL");
  }
  await driver?.settled(0);
  await serving?.stop();
  await platform?.close();
});

/** All services in one process that signals itself at a point; on a port of its own. */
function faulty(point: string, signal: NodeJS.Signals, port: number) {
  const [, statement = point, nth = "1"] = /^(.*) ×(\d+)$/.exec(point) ?? [];
  const started = startServiceAt(
    { ...platform.settings, HTTP_PORT: port },
    { module: SERVICES.join(), point: statement, nth: Number(nth), signal },
  );
  faulties.push(started);
  return started;
}

/** In the order of a payment's way; × says at which time. */
const KILLED_AT = sampled(
  [
    "saga_enter_guarded ×3",
    "committed ×2",
    "published ×2",
    "outbox_remove",
    "saga_apply ×4",
    "wallet_enter_decisions ×2",
    "committed ×12",
    "published ×12",
    "wallet_enter_refunds",
    "COMMIT ×9",
  ],
  ["committed ×2", "saga_apply ×4", "committed ×12", "wallet_enter_refunds", "COMMIT ×9"],
);

/** Processes side by side: one gets to its point while another starts. */
const LANES = 2;

test("kill -9 at point after point, queues missing at the start, all said once more days later: each payment once, all money there", async () => {
  await deleteQueues();
  await serving.ready();
  await record(platform.settings);
  await driver.openWallets();
  await serving.stop("SIGKILL");
  const over = new AbortController();
  const paying = driver.pay(PAYMENTS_PER_S, over.signal, MOST_UNANSWERED);
  const left = [...KILLED_AT];
  const killAll = async (port: number) => {
    for (let point = left.shift(); point !== undefined; point = left.shift()) {
      const doomed = faulty(point, "SIGKILL", port);
      const late = setTimeout(() => doomed.child.kill("SIGTERM"), 120_000);
      expect([point, (await doomed.ended).code]).toEqual([point, null]);
      clearTimeout(late);
    }
  };
  const ports = await Promise.all(Array.from({ length: LANES }, freePort));
  urls.splice(0, 1, ...ports.map((port) => `http://127.0.0.1:${port}`));
  await Promise.all(ports.map(killAll));
  urls.splice(0, LANES, serving.url);
  over.abort();
  await paying;
  await serving.replace();
  await expectSettled();

  await asOwner(platform, async (owner) => {
    const before = await readBooks(owner);
    await owner.query("DELETE FROM saga.idempotency");
    await owner.query("DELETE FROM wallet.idempotency");
    const events = await takeRecord(platform.settings, 2_000, 13);
    await replay(platform.settings, events);
    expect(await driver.askAgain(20)).toEqual([]);
    await quiet();
    expect(await readBooks(owner)).toEqual(before);
  });
  expect((await payments(platform.settings, "audit", "--quiesced")).stdout).toContain("the books agree");
});

/** In a transaction, between two of its statements. */
const FROZEN_AT = ["wallet_enter_decisions ×2", "wallet_enter_refunds", "COMMIT ×9"];

test("a process that is frozen lets go of its locks within 1.5 s; another goes on, and it commits nothing when it wakes", async () => {
  await serving.ready();
  await driver.openWallets();
  await serving.stop("SIGKILL");
  const over = new AbortController();
  const paying = driver.pay(PAYMENTS_PER_S, over.signal, MOST_UNANSWERED);
  let held = 0;
  for (const point of FROZEN_AT) {
    const port = await freePort();
    const next = faulty(point, "SIGSTOP", port);
    urls.splice(0, 1, `http://127.0.0.1:${port}`);
    await eventually(`frozen ${point}`, async () => (await processState(next.child.pid)) === "T", {
      withinMs: 60_000,
      everyMs: 25,
    });
    const since = performance.now();
    held += await openTransactions(next.child.pid);
    await eventually(
      "its transactions are over",
      async () => (await openTransactions(next.child.pid)) === 0,
      { everyMs: 25 },
    );
    expect(performance.now() - since).toBeLessThan(1_500);
  }
  expect(held).toBeGreaterThan(0);
  over.abort();
  await paying;
  await serving.replace();
  urls.splice(0, 1, serving.url);
  await serving.ready();
  for (const { child, ended } of faulties) {
    child.kill("SIGCONT");
    child.kill("SIGTERM");
    expect((await ended).code).toBe(0);
  }
  await expectSettled();
});

/** Every request answered, every payment decided, nothing in flight, and all as the callers were told. */
async function expectSettled(): Promise<void> {
  await serving.ready();
  await freeClaims(platform);
  await driver.settled(60_000);
  expect(driver.complaints).toEqual([]);
  await quiet();
  await asOwner(platform, async (owner) => {
    const checks = compare(driver.told, load.customers, await readBooks(owner), GIVE_UP_S);
    expect(checks.flatMap(({ complaints }) => complaints)).toEqual([]);
  });
  for (const queue of new Set(FAMILIES.map(({ deadLetter }) => deadLetter))) {
    expect(await drain(platform.settings, queue)).toEqual([]);
  }
}

/** Nothing is pending, in an outbox or in a queue. */
async function quiet(): Promise<void> {
  const agree = () => booksAgree(platform);
  await eventually(
    "the books agree, and nothing is under way that could change them",
    async () => (await agree()) && (await queuesEmpty()) && (await agree()),
    // rabbitmqctl takes a second or two of a processor, and the broker counts anew every 5 s.
    { withinMs: 60_000, everyMs: 1_000 },
  );
}

/** Ready in a queue, in the hands of a consumer, or on a rung. */
async function queuesEmpty(): Promise<boolean> {
  const vhost = platform.settings.RABBITMQ_VHOST;
  const lines = await rabbitmqctl("-p", vhost, "list_queues", "--no-table-headers", "name", "messages");
  const rows = lines
    .trim()
    .split("\n")
    .map((line) => line.split("\t"));
  return rows.every(([name, messages]) => messages === "0" || name === RECORD);
}

async function deleteQueues(): Promise<void> {
  await onChannel(platform.settings, async (channel) => {
    for (const queue of new Set(FAMILIES.flatMap(queueNames))) {
      await channel.deleteQueue(queue);
    }
    await channel.deleteExchange(EVENTS_EXCHANGE);
  });
}

/** Of a process: transactions that hold what others wait for. */
async function openTransactions(pid: number | undefined): Promise<number> {
  const open = `SELECT count(*)::integer AS open FROM pg_stat_activity
                WHERE datname = current_database() AND xact_start IS NOT NULL AND application_name LIKE '%:' || $1 || ':%'`;
  // As the admin, who sees what others do; the owner does not.
  return withPool({ role: "admin", database: platform.settings.POSTGRES_DB }, async (admin) => {
    return (await admin.query<{ open: number }>(open, [pid])).rows[0]?.open ?? 0;
  });
}
