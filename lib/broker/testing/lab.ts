import { randomUUID } from "node:crypto";
import { type Channel, connect, type GetMessage } from "amqplib";
import { eventually } from "../../../tests/harness/eventually.js";
import type { BrokerAddress } from "../dial.js";
import { type QueueFamily, queueFamily, queueNames } from "../topology.js";

/** What integration tests need of a real broker. The gate sets the environment. */
const env = process.env;

export const address: BrokerAddress = {
  RABBITMQ_HOST: env["RABBITMQ_HOST"] ?? "127.0.0.1",
  RABBITMQ_PORT: Number(env["RABBITMQ_PORT"] ?? 5672),
  RABBITMQ_USER: env["RABBITMQ_USER"] ?? "payments",
  RABBITMQ_PASSWORD: env["RABBITMQ_PASSWORD"] ?? "",
  RABBITMQ_VHOST: env["RABBITMQ_VHOST"] ?? "payments",
  RABBITMQ_HEARTBEAT_S: 10,
  RABBITMQ_SSLMODE: "disable",
  RABBITMQ_SSLROOTCERT: "",
};

/** A family of the test's own: unique, so that test files run side by side; with delays a test can wait for. */
export function testFamily(
  options: { ladderMs?: readonly number[]; deliveryLimit?: number } = {},
): QueueFamily {
  return queueFamily(`test.${randomUUID()}`, { ladderMs: [100, 200], ...options });
}

/** A channel straight on the broker, past the code under test. */
export async function onBroker<T>(use: (channel: Channel) => Promise<T>): Promise<T> {
  const connection = await connect({
    hostname: address.RABBITMQ_HOST,
    port: address.RABBITMQ_PORT,
    username: address.RABBITMQ_USER,
    password: address.RABBITMQ_PASSWORD,
    vhost: encodeURIComponent(address.RABBITMQ_VHOST),
  });
  connection.on("error", () => undefined);
  try {
    const channel = await connection.createChannel();
    channel.on("error", () => undefined);
    return await use(channel);
  } finally {
    await connection.close().catch(() => undefined);
  }
}

export async function remove(...families: QueueFamily[]): Promise<void> {
  await onBroker(async (channel) => {
    for (const queue of families.flatMap(queueNames)) await channel.deleteQueue(queue);
  });
}

/** Takes the next message off a queue, waiting for it. */
export async function take(queue: string): Promise<GetMessage> {
  return onBroker((channel) =>
    eventually(`a message in ${queue}`, () => channel.get(queue, { noAck: true }), { withinMs: 20_000 }),
  );
}

/** Messages in a queue, ready ones. */
export async function depth(queue: string): Promise<number> {
  return onBroker(async (channel) => (await channel.checkQueue(queue)).messageCount);
}

/** Has the broker close a client's connection, as an operator would. Statistics lag by up to 5 s, so it waits for it. */
export async function killConnection(name: string): Promise<void> {
  const api = `http://${address.RABBITMQ_HOST}:${env["RABBITMQ_MGMT_PORT"] ?? 15_672}/api/connections`;
  const login = Buffer.from(`${address.RABBITMQ_USER}:${address.RABBITMQ_PASSWORD}`).toString("base64");
  const headers = { authorization: `Basic ${login}`, "x-reason": "test" };
  const victim = await eventually(`connection ${name} in the management API`, async () => {
    const listed = (await (await fetch(api, { headers })).json()) as Array<{
      name: string;
      client_properties?: { connection_name?: string };
    }>;
    return listed.find((each) => each.client_properties?.connection_name === name)?.name;
  });
  const answer = await fetch(`${api}/${encodeURIComponent(victim)}`, { method: "DELETE", headers });
  if (!answer.ok) throw new Error(`DELETE ${victim}: HTTP ${answer.status}`);
}
