import { afterEach, beforeEach, expect, test } from "vitest";
import { depth, drain, dropQueues, renewQueue, testFamily } from "../../tests/harness/broker.js";
import { eventually } from "../../tests/harness/eventually.js";
import { testSettings } from "../../tests/harness/settings.js";
import type { OutgoingMessage } from "../broker/confirms.js";
import type { Outcome } from "../broker/delivery.js";
import { Publisher } from "../broker/publisher.js";
import type { QueueFamily } from "../broker/topology.js";
import { CoreError } from "../core_errors.js";
import { silentLogger } from "../observability/log.js";
import { deferred, pause } from "../timing.js";
import { BatchConsumer, type BatchConsumerOptions } from "./batch_consumer.js";
import type { RawEvent } from "./read_event.js";

const settings = testSettings();
const REJECT: Outcome = { kind: "reject", code: "MESSAGE_MALFORMED", reason: "nonsense" };
const RETRY: Outcome = { kind: "retry", code: "BUSY", reason: "not now" };

let family: QueueFamily;
let publisher: Publisher;
let consumer: BatchConsumer | undefined;

beforeEach(async () => {
  family = testFamily();
  publisher = new Publisher({ ...base(), name: `${family.work} publish`, families: [family] });
  await publisher.up();
});

afterEach(async () => {
  await consumer?.stop();
  await publisher.close();
  await dropQueues(settings, family);
});

const base = () => ({ address: settings, logger: silentLogger, connectPolicy: "once" }) as const;

async function fill(count: number): Promise<void> {
  const message = (i: number) => ({
    to: family.work,
    body: Buffer.from("{}"),
    properties: { messageId: `${i}` },
  });
  await publisher.publishAll(Array.from({ length: count }, (_, i) => message(i)));
}

/** Settles a batch as a whole. */
type Answer = (raw: readonly RawEvent[]) => Promise<readonly Outcome[]>;

const answering =
  (answer: Answer): BatchConsumerOptions["handle"] =>
  async (raw, _halt, settle) =>
    settle((await answer(raw)).map((outcome, place) => ({ place, outcome })));

async function consume(options: Pick<BatchConsumerOptions, "handle"> & Partial<BatchConsumerOptions>) {
  consumer = new BatchConsumer({ ...base(), name: family.work, family, publisher, ...options });
  await consumer.start();
}

test("a batch that fails is sent to the ladder at once, and comes again from there", async () => {
  await fill(200);
  const calls: number[] = [];
  const seen: RawEvent[] = [];
  const watched = {
    publishEach: (messages: readonly OutgoingMessage[]) => {
      calls.push(messages.length);
      return publisher.publishEach(messages);
    },
  } as unknown as Publisher;
  await consume({
    batch: { max: 200, waitMs: 10_000 },
    publisher: watched,
    handle: answering(async (raw) => {
      seen.push(...raw);
      return raw.map(({ headers }) => (headers["x-attempt"] === undefined ? RETRY : { kind: "done" }));
    }),
  });
  await eventually("all tried twice", () => seen.length === 400);
  expect(calls).toEqual([200]);
  await consumer?.stop();
  expect(await depth(settings, family.work)).toBe(0);
});

test("one that cannot be forwarded keeps nobody else unacked", async () => {
  await fill(20);
  const forwarded: number[] = [];
  const refusing = {
    publishEach: async (messages: readonly OutgoingMessage[]) => {
      forwarded.push(messages.length);
      return messages.map(({ properties: { messageId } }) =>
        messageId === "10" ? new CoreError("PUBLISH_NACKED", "full") : undefined,
      );
    },
  } as unknown as Publisher;
  await consume({
    batch: { max: 20, waitMs: 10_000 },
    publisher: refusing,
    handle: answering(async (raw) =>
      raw.map(({ messageId }) => (Number(messageId) < 5 ? { kind: "done" } : RETRY)),
    ),
  });
  await eventually("it is tried again alone", () => forwarded.length > 2);
  expect(forwarded.slice(0, 3)).toEqual([15, 1, 1]);
  await consumer?.stop();
  const left = await drain(settings, family.work);
  expect(left.map(({ properties }) => properties.messageId)).toEqual(["10"]);
});

test("a part that is settled does not come again when the link is lost before the others are", async () => {
  await fill(20);
  const done: Outcome = { kind: "done" };
  const batches: string[][] = [];
  await consume({
    batch: { max: 20, waitMs: 500 },
    handle: async (raw, _halt, settle) => {
      batches.push(raw.map(({ messageId }) => String(messageId)));
      if (batches.length > 1) {
        return settle(raw.map((_, place) => ({ place, outcome: done })));
      }
      settle(raw.slice(0, 10).map((_, place) => ({ place, outcome: done })));
      settle(raw.slice(10, 15).map((_, i) => ({ place: 10 + i, outcome: REJECT })));
      await eventually("five letters", async () => (await depth(settings, family.deadLetter)) === 5);
      throw new Error("the link is lost");
    },
  });
  await eventually("those that were not settled", () => batches.slice(1).flat().length >= 5);
  expect(batches).toEqual([Array.from({ length: 20 }, (_, i) => `${i}`), ["15", "16", "17", "18", "19"]]);
  await consumer?.stop();
  expect(await depth(settings, family.work)).toBe(0);
});

test("what comes again and again goes with half as many each time, and in the end alone", async () => {
  await fill(16);
  const sizes: number[] = [];
  await consume({
    batch: { max: 16, waitMs: 500 },
    handle: async (raw, _halt, settle) => {
      sizes.push(raw.length);
      if (sizes.length < 7) {
        throw new Error("the link is lost");
      }
      settle(raw.map((_, place) => ({ place, outcome: { kind: "done" } })));
    },
  });
  await eventually("all done", async () => sizes.slice(6).reduce((sum, size) => sum + size, 0) === 16);
  expect(sizes.slice(0, 8)).toEqual([16, 16, 16, 8, 4, 2, 1, 1]);
});

test("a full batch begins beside the one at work, and does not wait for it for long", async () => {
  await fill(25);
  const seen: string[][] = [];
  const acked: number[] = [];
  const first = deferred<void>();
  const calls = () => seen.length;
  await consume({
    // What is full begins at once.
    batch: { max: 10, waitMs: 500 },
    onBatch: ({ size }) => acked.push(size),
    handle: answering(async (raw) => {
      seen.push(raw.map(({ messageId }) => String(messageId)));
      if (calls() === 1) {
        await first.promise;
        throw new Error("the first batch is lost");
      }
      return raw.map(() => ({ kind: "done" }));
    }),
  });
  await eventually("the second is acked", () => acked.length === 1);
  expect(await depth(settings, family.work)).toBe(0); // All are in its hands.
  first.resolve();
  // The first comes again with a new link, and what was not full.
  await eventually("all of it", () => seen.slice(2).flat().length >= 15);
  await consumer?.stop();
  expect(await depth(settings, family.work)).toBe(0);
  const again = seen.slice(2).flat().map(Number);
  expect(again.toSorted((one, two) => one - two)).toEqual([
    ...Array.from({ length: 10 }, (_, i) => i),
    ...Array.from({ length: 5 }, (_, i) => 20 + i),
  ]);
});

test("a message that is left out, or settled twice, costs the link and no message", async () => {
  await fill(4);
  const done: Outcome = { kind: "done" };
  const wrong = [
    [0, 1, 2],
    [0, 0, 1, 2, 3],
    [0, 1, 2, 4],
  ];
  let calls = 0;
  await consume({
    batch: { max: 4, waitMs: 200 },
    handle: async (raw, _halt, settle) => {
      const places = wrong[calls++] ?? raw.keys();
      settle([...places].map((place) => ({ place, outcome: done })));
    },
  });
  await eventually("all is done", () => calls > wrong.length && consumer?.isUp === true);
  await consumer?.stop();
  expect(await depth(settings, family.work)).toBe(0);
});

test("beside what may be poison no other batch is begun", async () => {
  await fill(1);
  const done = deferred<void>();
  const batches: string[][] = [];
  let deaths = 0;
  await consume({
    batch: { max: 4, waitMs: 5 },
    handle: async (raw, _halt, settle) => {
      if (deaths < 3) {
        deaths += 1;
        throw new Error("the link is lost");
      }
      batches.push(raw.map(({ messageId }) => String(messageId)));
      await done.promise;
      settle(raw.map((_, place) => ({ place, outcome: { kind: "done" } })));
    },
  });
  await eventually("the candidate is at work", () => batches.length === 1);
  await fill(8);
  await eventually("a full batch waits beside it", async () => (await depth(settings, family.work)) === 0);
  expect(batches).toEqual([["0"]]);
  done.resolve();
  await eventually("all", () => batches.flat().length === 9);
});

test("a message that kills its process keeps none behind it from being done", async () => {
  await fill(20);
  const handled = new Set<string>();
  let deaths = 0;
  const live = async () => {
    const died = deferred<void>();
    await consume({
      batch: { max: 4, waitMs: 5 },
      handle: async (raw, _halt, settle) => {
        await pause(20); // The acks of the batch before are on their way.
        if (raw.some(({ messageId }) => messageId === "0")) {
          deaths += 1;
          died.resolve();
          throw new Error("the link is lost");
        }
        for (const { messageId } of raw) {
          handled.add(String(messageId));
        }
        settle(raw.map((_, place) => ({ place, outcome: { kind: "done" } })));
      },
    });
    await died.promise;
    await consumer?.stop();
  };
  // One more, and the broker would have dead-lettered it.
  while (handled.size < 19 && deaths < 20) {
    await live();
  }
  expect(handled.size).toBe(19);
  const left = await drain(settings, family.work);
  expect(left.map(({ properties }) => properties.messageId)).toEqual(["0"]);
});

test("goes on when its queue was deleted and made anew at once, which RabbitMQ 3.10 tells nobody", async () => {
  let seen = 0;
  await fill(20);
  await consume({
    batch: { max: 2, waitMs: 1 },
    lookEveryMs: 100,
    handle: answering(async (raw) => {
      seen += raw.length;
      return raw.map(() => ({ kind: "done" }));
    }),
  });
  await eventually("the first messages", () => seen === 20);
  await renewQueue(settings, family);
  await fill(20);
  await eventually("the others", () => seen === 40);
});

test("a handler that takes long is no reason to connect again", async () => {
  const done = deferred<void>();
  let calls = 0;
  await fill(20);
  await consume({
    batch: { max: 2, waitMs: 1 },
    lookEveryMs: 20,
    handle: answering(async (raw) => {
      calls += 1;
      await done.promise;
      return raw.map(() => ({ kind: "done" }));
    }),
  });
  await eventually("two at work", () => calls === 2);
  await pause(200); // Ten looks.
  expect(consumer?.isUp).toBe(true);
  expect(calls).toBe(2);
  done.resolve();
  await eventually("all", () => calls === 10);
  expect(await depth(settings, family.work)).toBe(0);
});
