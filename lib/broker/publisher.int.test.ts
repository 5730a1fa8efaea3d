import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  depth,
  dropQueues,
  killConnection,
  onChannel,
  take,
  testFamily,
} from "../../tests/harness/broker.js";
import { eventually } from "../../tests/harness/eventually.js";
import { TcpProxy } from "../../tests/harness/proxy.js";
import { testSettings } from "../../tests/harness/settings.js";
import { codeOf } from "../errors.js";
import { silentLogger } from "../observability/log.js";
import { Publisher, type PublisherOptions } from "./publisher.js";
import { EVENTS_EXCHANGE, type QueueFamily } from "./topology.js";

const settings = testSettings();
const broker = () => ({ host: settings.RABBITMQ_HOST, port: settings.RABBITMQ_PORT });
const through = (proxy: TcpProxy) => ({ ...settings, RABBITMQ_HOST: "127.0.0.1", RABBITMQ_PORT: proxy.port });

vi.setConfig({ testTimeout: 120_000 });

const open: Publisher[] = [];
let family: QueueFamily;
let proxy: TcpProxy;

beforeEach(async () => {
  family = testFamily();
  proxy = await TcpProxy.open(broker);
});

afterEach(async () => {
  for (const publisher of open.splice(0)) {
    await publisher.close();
  }
  await proxy.close();
  await dropQueues(settings, family);
});

async function openPublisher(options: Partial<PublisherOptions> = {}): Promise<Publisher> {
  const publisher = new Publisher({
    address: settings,
    name: family.work,
    logger: silentLogger,
    connectPolicy: "once",
    families: [family],
    ...options,
  });
  open.push(publisher);
  await publisher.up();
  return publisher;
}

/** A queue that refuses what comes after its first message. */
async function fullQueue(): Promise<string> {
  const full = `${family.work}.full`;
  const limits = { "x-queue-type": "quorum", "x-max-length": 1, "x-overflow": "reject-publish" };
  await onChannel(settings, (channel) => channel.assertQueue(full, { durable: true, arguments: limits }));
  return full;
}

/** How each of many publishes ended: "ok" or its error code. */
async function endings(publishes: Array<Promise<void>>): Promise<string[]> {
  const settled = await Promise.allSettled(publishes);
  return settled.map((each) => (each.status === "fulfilled" ? "ok" : String(each.reason.code)));
}

describe("publish", () => {
  it("leaves a persistent message with its body and properties", async () => {
    const publisher = await openPublisher();
    const properties = { headers: { tenant: "a" }, messageId: "m1", contentType: "application/json" };
    await publisher.publish(family.work, '{"v":1}', properties);
    const message = await take(settings, family.work);
    expect(message.content.toString()).toBe('{"v":1}');
    expect(message.properties).toMatchObject({ ...properties, deliveryMode: 2 });
  });

  it("carries bodies larger than a frame, and empty ones", async () => {
    const publisher = await openPublisher();
    const large = Buffer.alloc(300_000, 7);
    await publisher.publish(family.work, large);
    expect((await take(settings, family.work)).content.equals(large)).toBe(true);
    await publisher.publish(family.work, "");
    expect((await take(settings, family.work)).content).toHaveLength(0);
  });

  it("tells unroutable messages from the delivered ones beside them, even under one id", async () => {
    const publisher = await openPublisher();
    const queues = [family.work, `${family.work}.none`, family.work, `${family.work}.none`];
    const ends = await endings(queues.map((queue) => publisher.publish(queue, "x", { messageId: "same" })));
    expect(ends).toEqual(["ok", "PUBLISH_UNROUTABLE", "ok", "PUBLISH_UNROUTABLE"]);
  });

  it("fails with PUBLISH_NACKED when the queue is full", async () => {
    const publisher = await openPublisher();
    const full = await fullQueue();
    const refused = await eventually("a refusal", async () => {
      const [end] = await endings([publisher.publish(full, "x")]);
      return end !== "ok" && end;
    });
    await onChannel(settings, (channel) => channel.deleteQueue(full));
    expect(refused).toBe("PUBLISH_NACKED");
  });

  it("connects anew after a refusal, which may be the channel's fault", async () => {
    const publisher = await openPublisher({ address: through(proxy) });
    const full = await fullQueue();
    await eventually("another connection", async () => {
      await endings([publisher.publish(full, "x")]);
      return proxy.taken > 1;
    });
    await publisher.publish(family.work, "1");
    await onChannel(settings, (channel) => channel.deleteQueue(full));
    expect(await depth(settings, family.work)).toBe(1);
  });

  it("says of each what came of it", async () => {
    const publisher = await openPublisher();
    const to = (queue: string, messageId: string, headers = {}) => ({
      to: queue,
      body: Buffer.from(messageId),
      properties: { messageId, headers },
    });
    const none = `${family.work}.none`;
    const results = await publisher.publishEach([
      to(family.work, "a"),
      to(none, "a"),
      // amqplib encodes headers in 64 KiB.
      to(family.work, "b", { large: "x".repeat(70_000) }),
      to(none, "a"),
      to(family.work, "a"),
    ]);
    const codes = results.map((each) => each && (codeOf(each) ?? "cannot be encoded"));
    expect(codes).toEqual([
      undefined,
      "PUBLISH_UNROUTABLE",
      "cannot be encoded",
      "PUBLISH_UNROUTABLE",
      undefined,
    ]);
    expect(await depth(settings, family.work)).toBe(2);
  });

  it("makes a queue again that was deleted, by whatever way its messages come", async () => {
    const event = `test.${randomUUID()}`;
    family = { ...family, event };
    const publisher = await openPublisher();
    for (const to of [family.work, { exchange: EVENTS_EXCHANGE, routingKey: event }]) {
      await onChannel(settings, (channel) => channel.deleteQueue(family.work));
      const messages = Array.from({ length: 3 }, (_, i) => ({
        to,
        body: Buffer.from("x"),
        properties: { messageId: `${i}` },
      }));
      await publisher.publishAll(messages);
      expect(await depth(settings, family.work)).toBe(3);
    }
  });

  it("gets more through than the buffers hold", async () => {
    const publisher = await openPublisher({ timeoutMs: 60_000 });
    // Two writes each, 5,000 in all; amqplib buffers 1,024 before it asks for a drain. 20 MB in the queue.
    const body = Buffer.alloc(8_192);
    const ends = await endings(Array.from({ length: 2_500 }, () => publisher.publish(family.work, body)));
    expect(ends.filter((end) => end !== "ok")).toEqual([]);
    await eventually("all messages", async () => (await depth(settings, family.work)) === 2_500);
  });
});

describe("publish on a bad connection", () => {
  it("fails with PUBLISH_INTERRUPTED what was cut before its confirm, and works again after", async () => {
    const publisher = await openPublisher({ address: through(proxy) });
    proxy.silence(["toServer"]);
    const ends = endings([publisher.publish(family.work, "1"), publisher.publish(family.work, "2")]);
    proxy.reset();
    expect(await ends).toEqual(["PUBLISH_INTERRUPTED", "PUBLISH_INTERRUPTED"]);
    await publisher.publish(family.work, "3");
    expect((await take(settings, family.work)).content.toString()).toBe("3");
  });

  it("fails with PUBLISH_INTERRUPTED what an operator cut, and works again after", async () => {
    const publisher = await openPublisher({ address: through(proxy), timeoutMs: 25_000 });
    proxy.silence(["toServer"]);
    const ends = endings([publisher.publish(family.work, "1")]);
    await killConnection(settings, family.work);
    expect(await ends).toEqual(["PUBLISH_INTERRUPTED"]);
    await publisher.publish(family.work, "2");
    expect((await take(settings, family.work)).content.toString()).toBe("2");
  });

  it("fails with PUBLISH_TIMEOUT when no answer comes", async () => {
    const publisher = await openPublisher({ address: through(proxy), timeoutMs: 200 });
    proxy.silence(["toServer"]);
    await expect(publisher.publish(family.work, "1")).rejects.toMatchObject({ code: "PUBLISH_TIMEOUT" });
  });

  it("sends nothing later that it reported as not sent", async () => {
    const publisher = await openPublisher({ address: through(proxy), timeoutMs: 500 });
    proxy.refuse();
    proxy.reset();
    await eventually("a refused reconnect", () => proxy.taken > 1);
    await expect(publisher.publish(family.work, "late")).rejects.toThrow("could not be sent");
    proxy.pass();
    await eventually("a publish", async () => {
      const [end] = await endings([publisher.publish(family.work, "again")]);
      return end === "ok";
    });
    // An attempt that was confirmed too late has arrived too: "again" may be there more than once, "late" never.
    const arrived = await depth(settings, family.work);
    for (let i = 0; i < arrived; i++) {
      expect((await take(settings, family.work)).content.toString()).toBe("again");
    }
  });

  it("waits for the connection within its limit", async () => {
    const publisher = await openPublisher({ address: through(proxy) });
    proxy.refuse();
    proxy.reset();
    await eventually("a refused reconnect", () => proxy.taken > 1);
    const published = publisher.publish(family.work, "1");
    proxy.pass();
    await published;
  });
});

describe("close", () => {
  it("waits for what is under way and takes no more", async () => {
    const publisher = await openPublisher();
    const ends = endings(Array.from({ length: 50 }, () => publisher.publish(family.work, "x")));
    await publisher.close();
    expect(await ends).toEqual(Array(50).fill("ok"));
    await expect(publisher.publish(family.work, "x")).rejects.toMatchObject({ code: "PUBLISH_INTERRUPTED" });
  });
});

it("says what to do about a queue that stands with other arguments", async () => {
  const other = testFamily({ deliveryLimit: 5 });
  await onChannel(settings, (channel) =>
    channel.assertQueue(other.work, { arguments: { "x-queue-type": "quorum" } }),
  );
  const publisher = new Publisher({
    address: settings,
    name: "mismatch",
    logger: silentLogger,
    connectPolicy: "forever",
    families: [other],
  });
  open.push(publisher);
  await expect(publisher.up()).rejects.toThrow(/inequivalent arg/);
  await dropQueues(settings, other);
});
