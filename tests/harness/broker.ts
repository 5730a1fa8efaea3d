import { randomUUID } from "node:crypto";
import { type Channel, connect, type GetMessage } from "amqplib";
import type { AllSettings } from "../../app/settings.js";
import { declareFamily, type QueueFamily, queueFamily, queueNames } from "../../lib/broker/topology.js";
import { eventually } from "./eventually.js";

/** RabbitMQ's management API, as an operator would use it. */
async function api(settings: AllSettings, method: string, path: string, body?: unknown): Promise<unknown> {
  const {
    RABBITMQ_HOST: host,
    RABBITMQ_MGMT_PORT: port,
    RABBITMQ_USER: user,
    RABBITMQ_PASSWORD: password,
  } = settings;
  const response = await fetch(`http://${host}:${port}/api/${path}`, {
    method,
    headers: {
      authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`,
      "content-type": "application/json",
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) {
    throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  }
  const text = await response.text();
  return text === "" ? undefined : JSON.parse(text);
}

export async function createVhost(settings: AllSettings, name: string): Promise<void> {
  await api(settings, "PUT", `vhosts/${name}`);
}

export async function dropVhost(settings: AllSettings, name: string): Promise<void> {
  await api(settings, "DELETE", `vhosts/${name}`);
}

/** Publishes as the management UI does. @returns whether a queue took it. */
export async function publishByHand(
  settings: AllSettings,
  queue: string,
  payload: Buffer | string,
): Promise<boolean> {
  const answer = await api(settings, "POST", `exchanges/${settings.RABBITMQ_VHOST}/amq.default/publish`, {
    properties: {},
    routing_key: queue,
    payload: Buffer.from(payload).toString("base64"),
    payload_encoding: "base64",
  });
  return (answer as { routed: boolean }).routed;
}

/** Runs `work` on a channel straight on the broker, past the code under test. */
export async function onChannel<T>(
  settings: AllSettings,
  work: (channel: Channel) => Promise<T>,
): Promise<T> {
  const connection = await connect({
    hostname: settings.RABBITMQ_HOST,
    port: settings.RABBITMQ_PORT,
    username: settings.RABBITMQ_USER,
    password: settings.RABBITMQ_PASSWORD,
    vhost: settings.RABBITMQ_VHOST,
  });
  connection.on("error", () => undefined);
  try {
    const channel = await connection.createChannel();
    channel.on("error", () => undefined);
    return await work(channel);
  } finally {
    await connection.close().catch(() => undefined);
  }
}

/** Messages ready in a queue; 0 also when there is no such queue yet. */
export async function depth(settings: AllSettings, queue: string): Promise<number> {
  return onChannel(settings, async (channel) => (await channel.checkQueue(queue)).messageCount).catch(
    () => 0,
  );
}

/** Looks at a queue's messages and leaves them there. */
export async function peek(settings: AllSettings, queue: string): Promise<GetMessage[]> {
  return onChannel(settings, async (channel) => {
    const messages: GetMessage[] = [];
    for (;;) {
      const message = await channel.get(queue);
      if (message === false) {
        return messages;
      }
      messages.push(message);
    }
  });
}

/** Takes everything that is ready in a queue. */
export async function drain(settings: AllSettings, queue: string): Promise<GetMessage[]> {
  return onChannel(settings, async (channel) => {
    const messages: GetMessage[] = [];
    for (;;) {
      const message = await channel.get(queue, { noAck: true });
      if (message === false) {
        return messages;
      }
      messages.push(message);
    }
  });
}

/** Takes the next message off a queue, waiting for it. */
export async function take(settings: AllSettings, queue: string): Promise<GetMessage> {
  return onChannel(settings, (channel) =>
    eventually(`a message in ${queue}`, () => channel.get(queue, { noAck: true }), { withinMs: 20_000 }),
  );
}

/** A family of the test's own: unique, so that test files run side by side; with delays a test can wait for. */
export function testFamily(
  options: { ladderMs?: readonly number[]; deliveryLimit?: number } = {},
): QueueFamily {
  return queueFamily(`test.${randomUUID()}`, { ladderMs: [100, 200], ...options });
}

/** Deletes the work queue and declares it again before RabbitMQ has told its consumers: both go out in one piece. */
export async function renewQueue(settings: AllSettings, family: QueueFamily): Promise<void> {
  await onChannel(settings, (channel) =>
    Promise.all([channel.deleteQueue(family.work), declareFamily(channel, family)]),
  );
}

export async function dropQueues(settings: AllSettings, family: QueueFamily): Promise<void> {
  await onChannel(settings, async (channel) => {
    for (const queue of queueNames(family)) {
      await channel.deleteQueue(queue);
    }
  });
}

/** Has the broker close a client's connection, as an operator would. Statistics lag by up to 5 s, so it waits for it. */
export async function killConnection(settings: AllSettings, name: string): Promise<void> {
  const victim = await eventually(`connection ${name} in the management API`, async () => {
    const listed = (await api(settings, "GET", "connections")) as Array<{
      name: string;
      client_properties?: { connection_name?: string };
    }>;
    return listed.find((each) => each.client_properties?.connection_name === name)?.name;
  });
  await api(settings, "DELETE", `connections/${encodeURIComponent(victim)}`);
}
