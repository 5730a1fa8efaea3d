import { afterAll, beforeAll, expect, test } from "vitest";
import { withPool } from "../lib/postgres/with_pool.js";
import { Driver } from "./chaos/services/drive.js";
import { loadOf } from "./chaos/services/load.js";
import { compare, covered, readBooks } from "./chaos/services/verdict.js";
import { BrokerCluster, type BrokerNode } from "./harness/broker_cluster.js";
import { createDatabase, dropDatabase } from "./harness/database.js";
import { eventually } from "./harness/eventually.js";
import { payments, WorkerProcess } from "./harness/process.js";
import { Serving } from "./harness/serving.js";
import { testSettings } from "./harness/settings.js";

const PAYMENTS_PER_S = 10;
const GIVE_UP_S = 900;
/** Of each of three runs, in small chunks: many messages, and a run that outlasts its fault. */
const ROWS = 450_000;
const CHUNK_ROWS = 2_000;
/** A node that is apart is given up by the others after 10 s here, by its clients after three heartbeats. */
const GOES_ON_WITHIN_MS = 30_000;

let cluster: BrokerCluster;
let database: string;
beforeAll(async () => {
  database = await createDatabase();
  cluster = await BrokerCluster.start();
});
afterAll(async () => {
  cluster.close();
  await dropDatabase(database);
});

const settings = () =>
  testSettings({
    ...cluster.settings,
    POSTGRES_DB: database,
    RABBITMQ_HEARTBEAT_S: "2",
    STAGE_CHUNK_SIZE: String(CHUNK_ROWS),
    WORKER_METRICS_PORT: "0",
  });

async function ok(...command: string[]): Promise<string> {
  const { code, stdout, stderr } = await payments(settings(), ...command);
  expect({ command, code, stderr }).toEqual({ command, code: 0, stderr: expect.anything() });
  return stdout;
}

const count = async (sql: string) =>
  withPool(settings(), { role: "admin" }, async (pool) => Number((await pool.query(sql)).rows[0]?.count));
const decided = () => count("SELECT count(*) FROM saga.payment WHERE state <> 'PENDING'");
const chunks = () => count("SELECT count(*) FROM etl.chunk");

/** Payments are decided again. */
async function goesOn(after: string): Promise<void> {
  const began = performance.now();
  const before = await decided();
  await eventually(`payments after ${after}`, async () => (await decided()) > before + PAYMENTS_PER_S, {
    withinMs: GOES_ON_WITHIN_MS,
    everyMs: 100,
  });
  console.info(`${after}: payments are decided ${Math.round(performance.now() - began)} ms later`);
}

const whole = (withinMs = 120_000) =>
  eventually(
    "the cluster is whole",
    async () =>
      / *cluster +ok .*no partition; \d+ queues, each on all of them/.test(
        (await payments(settings(), "doctor")).stdout,
      ),
    { withinMs, everyMs: 2_000 },
  );

/**
 * The cluster is whole again. RabbitMQ 3.10.8 may hang for good while a node that was apart starts again, waiting for Erlang's `global`
 * (its log ends with "Faking nodedown/nodeup"); then whoever watches the node starts it anew.
 */
async function back(node: BrokerNode): Promise<void> {
  await whole(60_000).catch(async () => {
    console.info(`${node.name} did not come back by itself and is started anew`);
    await node.kill();
    await node.start();
    await whole();
  });
}

const FAULTS: readonly [string, (node: BrokerNode) => Promise<void>, (node: BrokerNode) => Promise<void>][] =
  [
    ["a node is killed", (node) => node.kill(), (node) => node.start()],
    ["a node is apart from its peers", async (node) => node.partFromPeers(), async (node) => node.heal()],
    ["a node is apart from everybody", async (node) => node.partFromAll(), async (node) => node.heal()],
  ];

test("a node dies, and is apart, under load: the others go on within seconds, and nothing is lost or doubled", async () => {
  const worker = await WorkerProcess.start(settings());
  const serving = await Serving.start(settings(), "payments", "fraud", "wallet");
  await serving.ready();
  await whole();
  const load = loadOf({ seed: 5, stuck: false });
  const driver = new Driver(load, { payments: [serving.url], wallets: [serving.url] });
  await driver.openWallets();
  const over = new AbortController();
  const paying = driver.pay(PAYMENTS_PER_S, over.signal);
  for (const [what, part, heal] of FAULTS) {
    await goesOn(`before ${what}`);
    const node = cluster.busiest();
    const old = await chunks();
    await ok("kickoff", "--rows", String(ROWS));
    await eventually("chunks come", async () => (await chunks()) > old, { withinMs: 60_000 });
    await part(node);
    const staged = await chunks();
    await goesOn(what);
    await eventually("chunks come again", async () => (await chunks()) > staged + 1, { withinMs: 60_000 });
    const named = [
      `^rabbitmq +FAIL +RABBITMQ_\\w+: .*${node.host}:5672 FAIL`,
      `^cluster +FAIL .*${node.name}`,
    ];
    let said = "";
    const names = async () => {
      said = (await payments(settings(), "doctor")).stdout;
      return named.every((line) => new RegExp(line, "m").test(said));
    };
    // A node that is apart is missed by the others after net_ticktime.
    await eventually("doctor names the node", names, { withinMs: 60_000, everyMs: 1_000 }).catch((error) => {
      throw new Error(`${error}\n${said}`);
    });
    await heal(node);
    await back(node);
    await goesOn(`after ${what}`);
  }
  over.abort();
  await paying;
  await driver.settled(60_000);
  expect(driver.complaints).toEqual([]);
  const done = async () => {
    const { runs } = JSON.parse(await ok("status", "--json")) as { runs: { state: string }[] };
    return runs.filter(({ state }) => state === "done").length === FAULTS.length;
  };
  await eventually("the runs are done", done, { withinMs: 180_000, everyMs: 1_000 });
  await eventually(
    "the books agree",
    async () => (await payments(settings(), "audit", "--quiesced")).code === 0,
    {
      withinMs: 90_000,
      everyMs: 1_000,
    },
  );
  await ok("verify");
  console.info(`${FAULTS.length * ROWS} rows verified, ${driver.told.length} payments audited`);
  await withPool(settings(), { role: "admin", bigints: "bigint" }, async (owner) => {
    await owner.query("SET ROLE payments_owner");
    const books = await readBooks(owner);
    const checks = compare(driver.told, load.customers, books, GIVE_UP_S);
    checks.push(covered(driver.told, load.customers, books));
    expect(checks.flatMap(({ complaints }) => complaints)).toEqual([]);
  });
  expect(await serving.stop()).toBe(0);
  expect(await worker.stop()).toBe(0);
}, 1_200_000);
