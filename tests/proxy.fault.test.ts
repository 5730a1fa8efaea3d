import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { AllSettings } from "../app/settings.js";
import { ETL_QUEUES } from "../etl/queues.js";
import { queueNames } from "../lib/broker/topology.js";
import type { LeaseTimes } from "../lib/runtime/lease.js";
import { depth } from "./harness/broker.js";
import { eventually } from "./harness/eventually.js";
import { Platform } from "./harness/platform.js";
import { COMMIT, type Direction, PUBLISH, TcpProxy, type Trap } from "./harness/proxy.js";
import { sampled } from "./harness/sampled.js";
import { createWorker, type Worker } from "./harness/worker.js";

/** Two missed ones are noticed within three. */
const HEARTBEAT_S = 3;
const THREE_HEARTBEATS_MS = 3_000 * HEARTBEAT_S;
/** The worker's own, towards PostgreSQL; usually ten times as long. */
const SHORT_LEASE: LeaseTimes = { beatMs: 500, leaseMs: 3_000 };

let platform: Platform;
let postgres: TcpProxy;
let rabbitmq: TcpProxy;
let worker: Worker | undefined;
/** What the worker logged as a failure of the work; outages are none. */
let failures: string[];

beforeEach(async () => {
  platform = await Platform.create({ RABBITMQ_HEARTBEAT_S: String(HEARTBEAT_S) });
  const { POSTGRES_HOST, POSTGRES_PORT, RABBITMQ_HOST, RABBITMQ_PORT } = platform.settings;
  postgres = await TcpProxy.open(() => ({ host: POSTGRES_HOST, port: POSTGRES_PORT }));
  rabbitmq = await TcpProxy.open(() => ({ host: RABBITMQ_HOST, port: RABBITMQ_PORT }));
  failures = [];
});

afterEach(async () => {
  for (const proxy of [postgres, rabbitmq]) {
    proxy.pass();
  }
  await stopWorker();
  await Promise.all([postgres.close(), rabbitmq.close()]);
  await platform.close();
});

/** A worker behind both proxies. Its start is not waited for: it may have to go through faults first. */
function startWorker(lease?: LeaseTimes): { ready: Promise<void> } {
  const through: Partial<AllSettings> = {
    POSTGRES_HOST: "127.0.0.1",
    POSTGRES_PORT: postgres.port,
    RABBITMQ_HOST: "127.0.0.1",
    RABBITMQ_PORT: rabbitmq.port,
  };
  const logger = pino({ level: "error" }, { write: (line: string) => failures.push(line.trim()) });
  worker = createWorker({ ...platform.settings, ...through }, logger, lease ? { leaseTimes: lease } : {});
  return { ready: worker.start() };
}

async function stopWorker(): Promise<void> {
  const stopped = worker?.stop();
  worker = undefined;
  await stopped;
}

async function someChunkStaged(): Promise<void> {
  const chunks = () => platform.value<number>("SELECT count(*) FROM etl.chunk");
  await eventually("a chunk staged", async () => (await chunks()) > 0);
}

/** The data is just what the spec says, nothing is left over, and no attempt at a step was given up. */
async function expectUndisturbed(): Promise<void> {
  expect((await platform.verify()).differences).toEqual([]);
  for (const queue of queueNames(ETL_QUEUES)) {
    await eventually(`${queue} empty`, async () => (await depth(platform.settings, queue)) === 0);
  }
  expect(await platform.stagingTables()).toBe(0);
  expect(failures).toEqual([]);
}

/** Sets a trap again whenever it has sprung, until `over`, at most so often. @returns how often it did. */
async function keepTrapping(set: () => Trap, over: Promise<void>, atMost = 1_000): Promise<number> {
  for (let sprung = 0; ; sprung++) {
    if (sprung === atMost) {
      await over;
      return sprung;
    }
    const trap = set();
    const next = await Promise.race([trap.done.then(() => "again"), over.then(() => "over")]);
    trap.disarm();
    if (next === "over") {
      return sprung;
    }
  }
}

describe("row 2: sent, and the answer lost", () => {
  test("COMMITs whose reply is swallowed: nothing twice, nothing missing, no attempt burnt", async () => {
    await startWorker().ready;
    const run = await platform.kickoff();
    // Each third COMMIT: were all lost, the repetition of a step could not end either.
    const lost = await keepTrapping(() => postgres.swallowReplyTo(COMMIT, 2), platform.done(run.runId));
    expect(lost).toBeGreaterThan(10);
    await expectUndisturbed();
  });

  test("messages whose confirm is swallowed: each chunk and month done once all the same", async () => {
    await startWorker().ready;
    const run = await platform.kickoff({ chunkRows: 1_000 });
    // Not more: after each lost connection the next is sought a little later, up to 10 s.
    const lost = await keepTrapping(() => rabbitmq.swallowReplyTo(PUBLISH, 4), platform.done(run.runId), 6);
    expect(lost).toBe(6);
    await expectUndisturbed();
  });
});

describe("row 5: connections cut", () => {
  const cuts: [Direction, number][] = (["toServer", "toClient"] as const).flatMap((direction) =>
    sampled([1, 9, 50, 150, 300, 450, 600, 750, 900, 1_100, 1_300, 1_500, 2_000]).map(
      (bytes): [Direction, number] => [direction, bytes],
    ),
  );

  test("PostgreSQL, at point after point of a worker's set-up", async () => {
    for (const [direction, bytes] of cuts) {
      const trap = postgres.cutAfter(direction, bytes);
      await startWorker().ready;
      trap.disarm();
      await stopWorker();
    }
    expect(failures).toEqual([]);
  });

  test("RabbitMQ, at point after point of a worker's set-up", async () => {
    for (const [direction, bytes] of cuts) {
      const trap = rabbitmq.cutAfter(direction, bytes);
      await startWorker().ready;
      trap.disarm();
      await stopWorker();
    }
    expect(failures).toEqual([]);
  });

  test.each([
    ["PostgreSQL", () => postgres],
    ["RabbitMQ", () => rabbitmq],
  ])("%s, over and over in mid-run: the worker goes on without a restart", async (_, proxy) => {
    await startWorker().ready;
    const run = await platform.kickoff();
    const done = platform.done(run.runId);
    let sizeBytes = 1;
    const cut = await keepTrapping(() => {
      sizeBytes = sizeBytes > 200_000 ? 1 : sizeBytes * 3;
      return proxy().cutAfter(sizeBytes % 2 === 0 ? "toServer" : "toClient", sizeBytes);
    }, done);
    expect(cut).toBeGreaterThan(5);
    await expectUndisturbed();
  });
});

describe("row 9: half-open", () => {
  test("RabbitMQ: noticed within three heartbeats, by both sides", async () => {
    await startWorker().ready;
    const run = await platform.kickoff();
    await someChunkStaged();
    const taken = rabbitmq.taken;
    const since = Date.now();
    rabbitmq.silence();
    await eventually("new connections", () => rabbitmq.taken >= taken + 2, {
      everyMs: 25,
      withinMs: THREE_HEARTBEATS_MS + 5_000,
    });
    expect(Date.now() - since).toBeLessThan(THREE_HEARTBEATS_MS + 1_000);
    await platform.done(run.runId);
    await expectUndisturbed();
  });

  test("PostgreSQL, and new connections work: the silent ones are ended on both sides, and the run goes on", async () => {
    await startWorker(SHORT_LEASE).ready;
    const run = await platform.kickoff();
    await someChunkStaged();
    postgres.silence();
    expect(postgres.silent).toBeGreaterThan(0);
    await eventually("the silent ones are given up", () => postgres.silent === 0, {
      withinMs: 10 * SHORT_LEASE.leaseMs,
    });
    await platform.done(run.runId);
    await expectUndisturbed();
  });

  test("PostgreSQL, and new connections are no better: given up within the lease, and the run goes on after", async () => {
    await startWorker(SHORT_LEASE).ready;
    const run = await platform.kickoff();
    await someChunkStaged();
    const open = postgres.connections;
    postgres.mute();
    // Besides the lease, the heartbeat under way may have to give up connecting, after 10 s.
    await eventually("the connections given up", () => postgres.givenUp >= open, {
      withinMs: SHORT_LEASE.leaseMs + 15_000,
    });
    postgres.pass();
    await platform.done(run.runId);
    await expectUndisturbed();
  });
});
