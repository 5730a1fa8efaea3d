import { afterEach, expect, it, vi } from "vitest";
import { depth, dropQueues, onChannel, take, testFamily } from "../../tests/harness/broker.js";
import { eventually } from "../../tests/harness/eventually.js";
import { TcpProxy } from "../../tests/harness/proxy.js";
import { testSettings } from "../../tests/harness/settings.js";
import { silentLogger } from "../observability/log.js";
import { deferred, pause } from "../timing.js";
import { Consumer } from "./consumer.js";
import type { Handler } from "./delivery.js";
import { Publisher } from "./publisher.js";
import type { QueueFamily } from "./topology.js";

const settings = testSettings();
const broker = () => ({ host: settings.RABBITMQ_HOST, port: settings.RABBITMQ_PORT });
const through = (proxy: TcpProxy) => ({ ...settings, RABBITMQ_HOST: "127.0.0.1", RABBITMQ_PORT: proxy.port });

vi.setConfig({ testTimeout: 90_000 });

const cleanups: Array<() => Promise<void>> = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) {
    await cleanup();
  }
});

async function open(family: QueueFamily): Promise<Publisher> {
  cleanups.push(() => dropQueues(settings, family));
  const publisher = new Publisher({
    address: settings,
    name: "poison",
    logger: silentLogger,
    connectPolicy: "once",
    families: [family],
  });
  cleanups.push(() => publisher.close());
  await publisher.up();
  return publisher;
}

it("dead-letters a message whose channel dies each time, at the delivery limit", async () => {
  const family = testFamily({ deliveryLimit: 3 });
  const publisher = await open(family);
  await publisher.publish(family.work, "poison", { headers: { "x-attempt": 2 } });
  let deliveries = 0;
  while ((await depth(settings, family.deadLetter)) === 0) {
    await onChannel(settings, async (channel) => {
      if (await channel.get(family.work)) {
        deliveries += 1;
      }
    });
  }
  expect(deliveries).toBe(4);
  const dead = await take(settings, family.deadLetter);
  expect(dead.content.toString()).toBe("poison");
  expect(dead.properties.headers).toMatchObject({
    "x-attempt": 2,
    "x-death": [expect.objectContaining({ reason: "delivery_limit", queue: family.work })],
  });
});

it("doesn't take the neighbours of a poison message along", async () => {
  const family = testFamily();
  const publisher = await open(family);
  const proxy = await TcpProxy.open(broker);
  cleanups.push(() => proxy.close());
  const bodies = ["n1", "poison", "n2", "n3"];
  for (const body of bodies) {
    await publisher.publish(family.work, body);
  }

  const done = new Set<string>();
  let crashes = 0;
  /** A worker's life: until the poison kills its connection, with all it holds. */
  const live = async () => {
    const crashed = deferred<void>();
    const handler: Handler = async (delivery) => {
      const body = delivery.body.toString();
      if (body === "poison") {
        crashes += 1;
        // Not before it is noticed: a worker that stops while it believes in its connection publishes copies of what it holds.
        delivery.lost.addEventListener("abort", () => crashed.resolve());
        proxy.reset();
        return new Promise(() => undefined);
      }
      await pause(50);
      // What a killed worker doesn't live to see.
      if (!delivery.lost.aborted) {
        done.add(body);
      }
      return { kind: "done" };
    };
    const consumer = new Consumer({
      address: through(proxy),
      name: "mortal",
      logger: silentLogger,
      connectPolicy: "forever",
      family,
      concurrency: 4,
      publisher,
      handler,
    });
    const buried = eventually("the dead letter", async () => (await depth(settings, family.deadLetter)) > 0, {
      withinMs: 10_000,
      everyMs: 200,
    }).catch(() => undefined);
    await Promise.race([crashed.promise, buried]);
    await consumer.stop(0);
  };
  while ((await depth(settings, family.deadLetter)) === 0) {
    await live();
  }

  expect(crashes).toBe(family.deliveryLimit + 1);
  expect((await take(settings, family.deadLetter)).content.toString()).toBe("poison");
  expect(await depth(settings, family.deadLetter)).toBe(0);
  expect([...done].toSorted()).toEqual(["n1", "n2", "n3"]);
});
