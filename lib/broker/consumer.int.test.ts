import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  depth,
  dropQueues,
  killConnection,
  onChannel,
  renewQueue,
  take,
  testFamily,
} from "../../tests/harness/broker.js";
import { eventually } from "../../tests/harness/eventually.js";
import { TcpProxy } from "../../tests/harness/proxy.js";
import { testSettings } from "../../tests/harness/settings.js";
import { silentLogger } from "../observability/log.js";
import { deferred } from "../timing.js";
import { Consumer, type ConsumerOptions } from "./consumer.js";
import type { Delivery, Handler, Outcome } from "./delivery.js";
import { Publisher, type PublisherOptions } from "./publisher.js";
import { type QueueFamily, queueNames } from "./topology.js";

const settings = testSettings();
const broker = () => ({ host: settings.RABBITMQ_HOST, port: settings.RABBITMQ_PORT });
const through = (proxy: TcpProxy) => ({ ...settings, RABBITMQ_HOST: "127.0.0.1", RABBITMQ_PORT: proxy.port });

vi.setConfig({ testTimeout: 40_000 });

let family: QueueFamily;
let publisher: Publisher;
let proxy: TcpProxy;
const consumers: Consumer[] = [];

beforeEach(async () => {
  family = testFamily();
  proxy = await TcpProxy.open(broker);
  publisher = openPublisher(`${family.work} publish`);
  await publisher.up();
});

afterEach(async () => {
  for (const consumer of consumers.splice(0)) {
    await consumer.stop(0);
  }
  await publisher.close();
  await proxy.close();
  await dropQueues(settings, family);
});

function openPublisher(name: string, options: Partial<PublisherOptions> = {}): Publisher {
  const base = {
    address: settings,
    name,
    logger: silentLogger,
    connectPolicy: "forever",
    families: [family],
  } as const;
  return new Publisher({ ...base, ...options });
}

async function consume(handler: Handler, options: Partial<ConsumerOptions> = {}): Promise<Consumer> {
  const consumer = new Consumer({
    address: settings,
    name: `${family.work} consume`,
    logger: silentLogger,
    connectPolicy: "forever",
    family,
    concurrency: 2,
    publisher,
    handler,
    ...options,
  });
  consumers.push(consumer);
  await consumer.up();
  return consumer;
}

/** A handler that finishes everything and keeps what it saw. */
function recorder(): { seen: Delivery[]; handler: Handler; bodies: () => string[] } {
  const seen: Delivery[] = [];
  const handler: Handler = async (delivery) => {
    seen.push(delivery);
    return { kind: "done" };
  };
  return { seen, handler, bodies: () => seen.map((delivery) => delivery.body.toString()) };
}

describe("settlement", () => {
  it("is told once the broker has the message, and whether it is a dead letter; failing to listen loses nothing", async () => {
    const settled: string[] = [];
    const outcomes: Outcome[] = [
      { kind: "retry", code: "INTERNAL", reason: "no luck" },
      { kind: "release" },
      { kind: "reject", code: "MESSAGE_MALFORMED", reason: "no sense" },
    ];
    const consumer = await consume(async () => outcomes.shift() ?? { kind: "done" }, {
      concurrency: 1,
      onSettled: async ({ delivery, outcome, deadLettered }) => {
        settled.push(`${outcome.kind} ${delivery.attempt}${deadLettered ? " dead" : ""}`);
        throw new Error("nobody listens");
      },
    });
    await publisher.publish(family.work, "x");
    await eventually("the dead letter", () => settled.includes("reject 2 dead"));
    expect(settled).toEqual(["retry 1", "release 2", "reject 2 dead"]);
    await publisher.publish(family.work, "y");
    await eventually("the next message", () => settled.length === 4);
    expect(settled[3]).toBe("done 1");
    await consumer.stop();
    expect(await depth(settings, family.work)).toBe(0);
    expect(await depth(settings, family.deadLetter)).toBe(1);
  });
});

describe("what is taken", () => {
  it("is told as it comes, not when its turn comes; often delivered ones wait for nobody where none are isolated", async () => {
    const taken: string[] = [];
    const begun: string[] = [];
    const go = deferred<void>();
    let lost = 0;
    // Each is handed to three consumers whose link dies: the fourth has what may be poison.
    for (const body of ["a", "b"]) {
      await publisher.publish(family.work, body);
    }
    for (let i = 0; i < 3; i += 1) {
      const held: Delivery[] = [];
      const mortal = await consume(() => new Promise(() => undefined), {
        address: through(proxy),
        onTaken: (delivery) => held.push(delivery),
        onLinkLost: () => {
          lost += 1;
        },
      });
      await eventually("both are held", () => held.length === 2);
      proxy.refuse(); // so that it does not come back for them
      proxy.reset();
      await eventually("they are lost", () => held.every((each) => each.lost.aborted));
      await mortal.stop(0);
      proxy.pass();
    }
    expect(lost).toBe(3);
    const last = await consume(
      async ({ body, deliveryCount }) => {
        expect(deliveryCount).toBeGreaterThanOrEqual(3);
        begun.push(body.toString());
        await go.promise;
        return { kind: "done" };
      },
      { isolates: false, onTaken: ({ body }) => taken.push(body.toString()) },
    );
    await eventually("both are at work", () => begun.length === 2);
    expect(taken.toSorted()).toEqual(["a", "b"]);
    go.resolve();
    await last.stop();
    expect(await depth(settings, family.work)).toBe(0);
  });
});

describe("outcomes", () => {
  it("done: the message is gone for good", async () => {
    const { seen, handler } = recorder();
    const consumer = await consume(handler);
    await publisher.publish(family.work, "x", { messageId: "m1" });
    await eventually("the delivery", () => seen.length === 1);
    expect(seen[0]).toMatchObject({ attempt: 1, redelivered: false, deliveryCount: 0, messageId: "m1" });
    await consumer.stop();
    expect(await depth(settings, family.work)).toBe(0);
  });

  it("retry: it comes again after its delay, body and headers kept, with the attempt counted", async () => {
    const seen: Array<{ at: number; delivery: Delivery }> = [];
    await consume(async (delivery) => {
      seen.push({ at: Date.now(), delivery });
      if (delivery.attempt < 3) {
        return { kind: "retry", code: "POSTGRES_UNREACHABLE", reason: "no route" };
      }
      return { kind: "done" };
    });
    const body = randomBytes(512);
    await publisher.publish(family.work, body, { messageId: "m1", headers: { tenant: "a" } });
    await eventually("three attempts", () => seen.length === 3);
    for (const { delivery } of seen) {
      expect(delivery.body.equals(body)).toBe(true);
      expect(delivery).toMatchObject({ messageId: "m1", headers: { tenant: "a" }, deliveryCount: 0 });
    }
    expect(seen.map(({ delivery }) => delivery.attempt)).toEqual([1, 2, 3]);
    const [first = 0, second = 0, third = 0] = seen.map(({ at }) => at);
    expect(second - first).toBeGreaterThanOrEqual(95);
    expect(third - second).toBeGreaterThanOrEqual(195);
  });

  it("retry without end: to the dead letters, with the last reason", async () => {
    await consume(async () => ({ kind: "retry", code: "POSTGRES_UNREACHABLE", reason: "no route" }));
    await publisher.publish(family.work, "x");
    const dead = await take(settings, family.deadLetter);
    expect(dead.properties.headers).toMatchObject({
      "x-error-code": "ATTEMPTS_EXHAUSTED",
      "x-reason": "3 attempts, last POSTGRES_UNREACHABLE: no route",
      "x-attempts": 3,
    });
  });

  it("reject: to the dead letters, byte for byte, with what is known of it", async () => {
    await consume(async () => ({ kind: "reject", code: "MESSAGE_MALFORMED", reason: "not\nJSON" }), {
      name: "worker 7",
    });
    const body = randomBytes(100_000);
    await publisher.publish(family.work, body, { headers: { tenant: "a" }, contentType: "text/plain" });
    const dead = await take(settings, family.deadLetter);
    expect(dead.content.equals(body)).toBe(true);
    expect(dead.properties.contentType).toBe("text/plain");
    expect(dead.properties.headers).toMatchObject({
      tenant: "a",
      "x-error-code": "MESSAGE_MALFORMED",
      "x-reason": "not JSON",
      "x-attempts": 1,
      "x-worker": "worker 7",
      "x-first-failed-at": expect.stringMatching(/^\d{4}-.*Z$/),
      "x-last-failed-at": expect.stringMatching(/^\d{4}-.*Z$/),
    });
    expect(await depth(settings, family.work)).toBe(0);
  });

  it("retry and reject: with all that its producer gave it, and an expiration that has no power any more", async () => {
    const seen: Delivery[] = [];
    await consume(async (delivery) => {
      seen.push(delivery);
      if (seen.length === 1) {
        return { kind: "retry", code: "INTERNAL", reason: "again" };
      }
      return { kind: "reject", code: "MESSAGE_MALFORMED", reason: "no" };
    });
    const expected = (attempts: number) => ({
      ...headers,
      "x-producer-expiration": "3000",
      "x-producer-user-id": settings.RABBITMQ_USER,
      "x-attempts": attempts,
    });
    const properties = {
      messageId: "m1",
      type: "greeting",
      contentType: "text/plain",
      contentEncoding: "gzip",
      correlationId: "c1",
      replyTo: "answers",
      appId: "shop",
      timestamp: 1_767_261_600,
      priority: 3,
    };
    const headers = { tenant: "a", at: { "!": "timestamp", value: 1_767_261_600 }, bytes: Buffer.from([1]) };
    await onChannel(settings, async (channel) => {
      for (const body of ["retried first", "rejected at once"]) {
        channel.sendToQueue(family.work, Buffer.from(body), {
          ...properties,
          headers: { ...headers, CC: ["elsewhere"] },
          expiration: "3000",
          userId: settings.RABBITMQ_USER,
        });
      }
      // An answer, so that what was sent is not overtaken by the connection's end.
      await channel.checkQueue(family.work);
    });
    await eventually("dead letters", async () => (await depth(settings, family.deadLetter)) === 2);
    const until = Date.now() + 3_500;
    await eventually("their time over", () => Date.now() > until);
    for (const attempts of [1, 2]) {
      const dead = await take(settings, family.deadLetter);
      expect(dead.properties).toMatchObject({ ...properties, expiration: undefined, userId: undefined });
      expect(dead.properties.headers).toMatchObject(expected(attempts));
      expect(dead.properties.headers).not.toHaveProperty("CC");
      expect(dead.properties.headers).not.toHaveProperty("x-death");
    }
  });

  it("reject of a message whose headers are too large to send again: the largest is left out, and it is said", async () => {
    await consume(async () => ({ kind: "reject", code: "MESSAGE_MALFORMED", reason: "no" }));
    const headers = { a: "x".repeat(30_000), b: "y".repeat(29_000) };
    await publisher.publish(family.work, "x", { headers });
    const dead = (await take(settings, family.deadLetter)).properties.headers ?? {};
    expect(dead).toMatchObject({ b: headers.b, "x-headers-cut": "too large to be kept: a (30007 bytes)" });
    expect(dead).not.toHaveProperty("a");
  });

  it("release: it comes again, counted neither as an attempt nor as a delivery", async () => {
    const seen: Delivery[] = [];
    await consume(async (delivery) => {
      seen.push(delivery);
      return { kind: seen.length === 1 ? "release" : "done" };
    });
    await publisher.publish(family.work, "x");
    await eventually("the second delivery", () => seen.length === 2);
    expect(seen[1]).toMatchObject({ attempt: 1, redelivered: true, deliveryCount: 0 });
  });

  it("a handler that throws: a retry with code INTERNAL", async () => {
    const seen: Delivery[] = [];
    await consume(async (delivery) => {
      seen.push(delivery);
      if (seen.length === 1) {
        throw new Error("a bug");
      }
      return { kind: "done" };
    });
    await publisher.publish(family.work, "x");
    await eventually("the second attempt", () => seen.length === 2);
    expect(seen[1]?.headers).toMatchObject({
      "x-attempt": 2,
      "x-error-code": "INTERNAL",
      "x-reason": "a bug",
    });
  });

  it("holds no more messages than it handles at a time", async () => {
    const gate = deferred<void>();
    let running = 0;
    await consume(
      async () => {
        running += 1;
        await gate.promise;
        return { kind: "done" };
      },
      { concurrency: 3 },
    );
    for (let n = 0; n < 10; n += 1) {
      await publisher.publish(family.work, "x");
    }
    await eventually(
      "three at work, seven waiting",
      async () => running === 3 && (await depth(settings, family.work)) === 7,
    );
    gate.resolve();
    await eventually("the rest", () => running === 10);
  });
});

describe("trouble", () => {
  it("goes on after an operator closed both connections", async () => {
    const { handler, bodies } = recorder();
    await consume(handler);
    await killConnection(settings, `${family.work} consume`);
    await killConnection(settings, `${family.work} publish`);
    await publisher.publish(family.work, "after");
    await eventually("the message", () => bodies().includes("after"));
  });

  it("goes on after somebody deleted every queue", async () => {
    const { handler, bodies } = recorder();
    await consume(handler);
    await onChannel(settings, async (channel) => {
      for (const queue of queueNames(family)) {
        await channel.deleteQueue(queue);
      }
    });
    await eventually("a publish", () =>
      publisher.publish(family.work, "after").then(
        () => true,
        () => false,
      ),
    );
    await eventually("the message", () => bodies().includes("after"));
  });

  it("goes on when its queue was deleted and made anew at once, which RabbitMQ 3.10 tells nobody", async () => {
    const { handler, bodies } = recorder();
    await consume(handler, { concurrency: 1, lookEveryMs: 100 });
    for (const body of ["1", "2", "3"]) {
      await publisher.publish(family.work, body);
    }
    await eventually("the first messages", () => bodies().length === 3);
    await renewQueue(settings, family);
    for (const body of ["4", "5", "6"]) {
      await publisher.publish(family.work, body);
    }
    await eventually("the others", () => bodies().length === 6);
  });

  it("gives a message lost with its connection to the next one, and ignores the late outcome", async () => {
    const first = deferred<Delivery>();
    const late = deferred<void>();
    const { seen, handler } = recorder();
    await consume(
      async (delivery) => {
        if (delivery.redelivered || delivery.body.toString() !== "x") {
          return handler(delivery);
        }
        first.resolve(delivery);
        await late.promise;
        return { kind: "reject", code: "INTERNAL", reason: "from the lost one" };
      },
      { address: through(proxy) },
    );
    await publisher.publish(family.work, "x");
    const { lost } = await first.promise;
    proxy.reset();
    await eventually("the second delivery", () => seen.length === 1);
    expect(lost.aborted).toBe(true);
    expect(seen[0]?.deliveryCount).toBe(1);
    late.resolve();
    await publisher.publish(family.work, "y");
    await eventually("work going on", () => seen.length === 2);
    expect(await depth(settings, family.deadLetter)).toBe(0);
  });

  it("doesn't start a message again beside its lost twin when that fills the only place", async () => {
    const late = deferred<void>();
    let [running, most, ended] = [0, 0, 0];
    await consume(
      async () => {
        running += 1;
        most = Math.max(most, running);
        await late.promise;
        running -= 1;
        ended += 1;
        return { kind: "done" };
      },
      { address: through(proxy), concurrency: 1 },
    );
    await publisher.publish(family.work, "x");
    await eventually("the first delivery", () => running === 1);
    // Stays in the queue behind x, which shows when x has been taken again.
    await publisher.publish(family.work, "y");
    proxy.reset();
    await eventually(
      "the redelivery",
      async () => proxy.taken === 2 && (await depth(settings, family.work)) === 1,
    );
    late.resolve();
    await eventually("x twice and y", () => ended === 3);
    expect(most).toBe(1);
  });

  it("puts back a dead-letter queue somebody deleted", async () => {
    await consume(async () => ({ kind: "reject", code: "MESSAGE_MALFORMED", reason: "no" }));
    await onChannel(settings, (channel) => channel.deleteQueue(family.deadLetter));
    await publisher.publish(family.work, "x");
    await eventually("the queue", () =>
      depth(settings, family.deadLetter).then(
        (n) => n === 1,
        () => false,
      ),
    );
  });

  it("keeps a message that it cannot forward until it can", async () => {
    // Connecting has to fit into the timeout too, also on a machine at work: 100 ms did not.
    const shaky = openPublisher("shaky", { address: through(proxy), timeoutMs: 1_000 });
    await shaky.up();
    const publishing = vi.spyOn(shaky, "publishEach");
    proxy.refuse();
    proxy.reset();
    let handled = 0;
    await consume(
      async () => {
        handled += 1;
        return { kind: "reject", code: "MESSAGE_MALFORMED", reason: "no" };
      },
      { publisher: shaky },
    );
    await publisher.publish(family.work, "x");
    await eventually("tries to forward", () => publishing.mock.calls.length > 1);
    expect(await depth(settings, family.deadLetter)).toBe(0);
    proxy.pass();
    expect((await take(settings, family.deadLetter)).content.toString()).toBe("x");
    expect(handled).toBe(1);
    await shaky.close();
  });
});

describe("stop", () => {
  it("leaves a message that it cannot forward in the queue", async () => {
    const shaky = openPublisher("shaky", { address: through(proxy), timeoutMs: 1_000 });
    await shaky.up();
    proxy.refuse();
    proxy.reset();
    let handled = 0;
    const consumer = await consume(
      async () => {
        handled += 1;
        return { kind: "reject", code: "MESSAGE_MALFORMED", reason: "no" };
      },
      { publisher: shaky },
    );
    await publisher.publish(family.work, "x");
    await eventually("an outcome", () => handled === 1);
    await consumer.stop();
    expect((await take(settings, family.work)).content.toString()).toBe("x");
    await shaky.close();
  });

  it("lets the handlers at work finish, acks them and takes no more", async () => {
    const gate = deferred<void>();
    const started: string[] = [];
    const consumer = await consume(async (delivery) => {
      started.push(delivery.body.toString());
      await gate.promise;
      return { kind: "done" };
    });
    for (const body of ["1", "2", "3"]) {
      await publisher.publish(family.work, body);
    }
    await eventually("two at work", () => started.length === 2);
    const stopped = consumer.stop();
    gate.resolve();
    await stopped;
    expect(started).toEqual(["1", "2"]);
    expect((await take(settings, family.work)).content.toString()).toBe("3");
    expect(await depth(settings, family.work)).toBe(0);
  });

  it("carries out retries and rejects before it ends", async () => {
    const gate = deferred<void>();
    let started = 0;
    const consumer = await consume(async () => {
      started += 1;
      await gate.promise;
      return { kind: "reject", code: "MESSAGE_MALFORMED", reason: "no" };
    });
    await publisher.publish(family.work, "x");
    await eventually("one at work", () => started === 1);
    const stopped = consumer.stop();
    gate.resolve();
    await stopped;
    expect(await depth(settings, family.deadLetter)).toBe(1);
    expect(await depth(settings, family.work)).toBe(0);
  });

  it("doesn't wait longer than told; the message goes to someone else", async () => {
    const started = deferred<void>();
    const consumer = await consume(() => {
      started.resolve();
      return new Promise(() => undefined);
    });
    await publisher.publish(family.work, "x");
    await started.promise;
    await consumer.stop(50);
    const { seen, handler } = recorder();
    await consume(handler);
    await eventually("the message", () => seen.length === 1);
    expect(seen[0]?.redelivered).toBe(true);
  });
});
