import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { ETL_QUEUES } from "../etl/queues.js";
import { Consumer } from "../lib/broker/consumer.js";
import type { Handler } from "../lib/broker/delivery.js";
import { Publisher } from "../lib/broker/publisher.js";
import { queueFamily } from "../lib/broker/topology.js";
import { silentLogger } from "../lib/observability/log.js";
import * as timing from "../lib/timing.js";
import { depth, publishByHand } from "./harness/broker.js";
import { eventually } from "./harness/eventually.js";
import { Platform } from "./harness/platform.js";
import { TcpProxy } from "./harness/proxy.js";
import { rabbitmqctl } from "./harness/servers.js";

/** RabbitMQ's consumer_timeout, 30 minutes by default, and how often it looks, 1 minute: as a channel finds them when it is opened. */
const TIMEOUT_MS = 600;
const TICK_MS = 50;
const HOLD_MS = 200;
/** In place of up to 10 s, which are little beside half an hour, but not here. */
const RECONNECT_MS = 20;
/** More than the delivery limit. */
const LONG_MS = 25 * (TIMEOUT_MS + TICK_MS + RECONNECT_MS);

beforeAll(async () => {
  await setTimes(TIMEOUT_MS, TICK_MS);
  vi.spyOn(timing, "fullJitterMs").mockReturnValue(RECONNECT_MS);
});
afterAll(async () => {
  vi.restoreAllMocks();
  await setTimes(1_800_000, 60_000);
});

async function setTimes(timeoutMs: number, tickMs: number): Promise<void> {
  const set = (name: string, ms: number) => `application:set_env(rabbit, ${name}, ${ms})`;
  await rabbitmqctl(
    "eval",
    `${set("consumer_timeout", timeoutMs)}, ${set("channel_tick_interval", tickMs)}.`,
  );
}

let platform: Platform;
const cleanups: (() => Promise<unknown>)[] = [];
beforeEach(async () => {
  platform = await Platform.create({ STAGE_TARGET_TXN: "1000" });
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) {
    await cleanup();
  }
  await platform.close();
});

const deadLetters = () => depth(platform.settings, ETL_QUEUES.deadLetter);

async function longTime(what: string): Promise<void> {
  const until = Date.now() + LONG_MS;
  await eventually(what, () => Date.now() > until, { withinMs: 2 * LONG_MS });
}

/** A worker that does not see PostgreSQL while the proxy refuses. */
async function workerBehindProxy(): Promise<TcpProxy> {
  const { POSTGRES_HOST: host, POSTGRES_PORT: port } = platform.settings;
  const postgres = await TcpProxy.open(() => ({ host, port }));
  cleanups.push(() => postgres.close());
  const direct = platform.settings;
  Object.assign(platform, {
    settings: { ...direct, POSTGRES_HOST: "127.0.0.1", POSTGRES_PORT: postgres.port },
  });
  const worker = await platform.startWorker(2, { holdMs: HOLD_MS });
  Object.assign(platform, { settings: direct });
  cleanups.push(() => platform.stopWorker(worker));
  return postgres;
}

test("PostgreSQL is away for 25 timeouts of the broker: no dead letter, a run is done, a bare stage begins one", async () => {
  const postgres = await workerBehindProxy();
  postgres.refuse();
  postgres.reset();
  const run = await platform.kickoff({ rows: 20_000, chunkRows: 2_000 });
  await publishByHand(platform.settings, ETL_QUEUES.work, "stage");
  await longTime("PostgreSQL away");
  expect(await deadLetters()).toBe(0);
  postgres.pass();
  await platform.done(run.runId);
  await eventually("the other run", () => platform.value("SELECT count(*) = 2 FROM etl.run"));
  expect((await platform.verify(run.runId)).differences).toEqual([]);
  expect(await deadLetters()).toBe(0);
});

/** Queues of a test's own, and consumers of them that do what they are told. */
async function lab() {
  const family = queueFamily(`test.${randomUUID()}`, { ladderMs: [100] });
  const address = platform.settings;
  const options = { address, logger: silentLogger, connectPolicy: "forever" } as const;
  const publisher = new Publisher({ ...options, name: "test", families: [family], timeoutMs: 100 });
  cleanups.push(() => publisher.close());
  await publisher.up();
  // The worker's publisher has 50 ms; what a test brings on its way has the usual time.
  const patient = new Publisher({ ...options, name: "test", families: [family] });
  cleanups.push(() => patient.close());
  const send = (body: string) => patient.publish(family.work, body);
  /** Messages that are not done. */
  const left = async () => {
    // In the order in which one that waits goes on.
    let sum = 0;
    for (const queue of [...family.ladder.map((rung) => rung.queue), family.work]) {
      sum += await depth(platform.settings, queue);
    }
    return sum;
  };
  const consume = async (handler: Handler, concurrency = 2) => {
    const consumer = new Consumer({
      ...options,
      name: "test",
      family,
      concurrency,
      publisher,
      handler,
      holdMs: HOLD_MS,
    });
    cleanups.push(() => consumer.stop(0));
    await consumer.up();
    return consumer;
  };
  return { family, publisher, consume, left, send };
}

test("a step takes 25 timeouts: it is done once, its neighbours meanwhile, and nobody is counted out", async () => {
  const { family, consume, left, send } = await lab();
  const gate = timing.deferred<void>();
  const seen: string[] = [];
  const counts: number[] = [];
  const handler: Handler = async ({ body, deliveryCount }) => {
    seen.push(body.toString());
    counts.push(deliveryCount);
    if (body.toString() === "long") {
      await gate.promise;
    }
    return { kind: "done" };
  };
  const consumer = await consume(handler);
  await send("long");
  await eventually("at work", () => seen.length === 1);
  for (const body of ["a", "b", "c"]) {
    await send(body);
  }
  await longTime("the step");
  gate.resolve();
  await eventually("its message gone", async () => (await left()) === 0);
  await consumer.stop();
  // A copy that was on its way as the step ended has come by now.
  const next = await consume(handler);
  await eventually("its copy gone", async () => (await left()) === 0);
  await next.stop();
  expect(await depth(platform.settings, family.work)).toBe(0);
  expect(await depth(platform.settings, family.deadLetter)).toBe(0);
  expect(seen.filter((body) => body !== "long").toSorted()).toEqual(["a", "b", "c"]);
  // Once more when the step's end and the copy's coming cross.
  expect(seen.filter((body) => body === "long").length).toBeLessThanOrEqual(2);
  expect(Math.max(...counts)).toBeLessThan(3);
});

test("an alarm of the broker lasts for 25 timeouts: what was in hand is counted once, and done", async () => {
  const { family, publisher, consume, left, send } = await lab();
  const limit =
    (await rabbitmqctl("environment")).match(/vm_memory_high_watermark,\{absolute,"?([^"}]+)/)?.[1] ??
    "512MiB";
  let begun = 0;
  const counts: number[] = [];
  // As a worker does: what follows must be out before a step is done, and who waits for that lets go in time.
  const handler: Handler = async ({ overdue, lost, deliveryCount }) => {
    begun += 1;
    counts.push(deliveryCount);
    for (;;) {
      if (lost.aborted || overdue.aborted) {
        return { kind: "release" };
      }
      try {
        await publisher.publish(family.deadLetter, "follower");
        return { kind: "done" };
      } catch {
        await timing.pause(RECONNECT_MS);
      }
    }
  };
  for (const body of ["a", "b", "c", "d"]) {
    await send(body);
  }
  await rabbitmqctl("set_vm_memory_high_watermark", "absolute", "1");
  try {
    await eventually("publishers blocked", () =>
      publisher.publish(family.deadLetter, "probe").then(
        () => false,
        () => true,
      ),
    );
    await consume(handler);
    await eventually("at work", () => begun === 2);
    await longTime("the alarm");
  } finally {
    await rabbitmqctl("set_vm_memory_high_watermark", "absolute", limit);
  }
  await eventually("all gone", async () => (await left()) === 0 && begun >= 6);
  expect(Math.max(...counts)).toBeLessThan(3);
});

test("25 workers stop one after another with the same message in hand: it is not counted out", async () => {
  const { family, consume, send } = await lab();
  await send("x");
  let taken = 0;
  for (let i = 0; i < 25; i++) {
    const consumer = await consume(() => {
      taken += 1;
      return new Promise(() => undefined);
    });
    await eventually("taken", () => taken === i + 1, { everyMs: 5 });
    await consumer.stop(0);
  }
  let counted = -1;
  await consume(async ({ deliveryCount }) => {
    counted = deliveryCount;
    return { kind: "done" };
  });
  await eventually("done at last", () => counted === 0);
  expect(await depth(platform.settings, family.deadLetter)).toBe(0);
});
