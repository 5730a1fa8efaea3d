import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { drain, dropQueues, onChannel, testFamily } from "../../tests/harness/broker.js";
import { createDatabase, dropDatabase, withPool } from "../../tests/harness/database.js";
import { testSettings } from "../../tests/harness/settings.js";
import type { OutgoingMessage } from "../broker/confirms.js";
import { Publisher } from "../broker/publisher.js";
import type { QueueFamily } from "../broker/topology.js";
import { newId } from "../domain/ids.js";
import { silentLogger } from "../observability/log.js";
import type { Pool } from "../postgres/pool.js";
import { createServicePool } from "../postgres/service_pool.js";
import { eventMessage } from "./event.js";
import { Outbox } from "./outbox.js";

const settings = testSettings();
let database: string;
let pool: Pool;
let family: QueueFamily;
let publisher: Publisher;
let outbox: Outbox;

beforeAll(async () => {
  database = await createDatabase("seeded");
  const options = { role: "payments_wallet", schema: "wallet", max: 2, applicationName: "outbox" };
  pool = createServicePool(testSettings({ POSTGRES_DB: database }), options);
  family = { ...testFamily(), event: `test.${newId()}` };
  const name = family.work;
  const broker = { address: settings, name, logger: silentLogger, connectPolicy: "once" } as const;
  publisher = new Publisher({ ...broker, families: [family] });
  await publisher.up();
  outbox = new Outbox({ schema: "wallet", pool, publisher, logger: silentLogger });
});
afterAll(async () => {
  await publisher?.close();
  await pool?.end();
  await dropQueues(settings, family);
  await dropDatabase(database);
});

function message(n: number, headers: object = {}): OutgoingMessage {
  const contract = { name: family.event as string, version: 1, schema: z.object({ n: z.number() }) };
  const made = eventMessage({ ...contract, key: () => "k" }, { n }, { messageId: newId() });
  return { ...made, properties: { ...made.properties, headers: { ...made.properties.headers, ...headers } } };
}

/** As if a process had died and all claims had run out. */
const leaveBehind = () =>
  withPool({ role: "admin", database }, (admin) =>
    admin.query("UPDATE wallet.outbox SET entered_at = now() - interval '1 hour', claimed_until = NULL"),
  );
const ids = (messages: readonly { properties: { messageId?: unknown } }[]) =>
  messages.map(({ properties }) => properties.messageId);

test("an event that cannot be published neither holds nor repeats those that were left behind with it", async () => {
  // The name of a header has 255 bytes at most.
  const stuck = message(2, { ["x".repeat(256)]: "" });
  const others = [message(1), message(3)];
  await outbox.enter(pool, [others[0] as OutgoingMessage, stuck, others[1] as OutgoingMessage]);
  await leaveBehind();
  expect(await outbox.sweep()).toBe(3);
  expect(ids(await drain(settings, family.work)).sort()).toEqual(ids(others).sort());
  // Claimed for a while: the next look is at others.
  expect(await outbox.sweep()).toBe(0);
  await leaveBehind();
  expect(await outbox.sweep()).toBe(1);
  expect(await drain(settings, family.work)).toEqual([]);
  const { rows } = await pool.query("SELECT message_id FROM wallet.outbox");
  expect(rows).toEqual([{ message_id: stuck.properties.messageId }]);
});

test("events whose queue was deleted while the process ran arrive", async () => {
  await onChannel(settings, (channel) => channel.deleteQueue(family.work));
  const sent = [message(1), message(2)];
  await outbox.enter(pool, sent);
  await leaveBehind();
  await outbox.sweep();
  expect(ids(await drain(settings, family.work)).sort()).toEqual(ids(sent).sort());
});

test("an event that the broker would close the channel for is not entered", async () => {
  const large = { ...message(1), body: Buffer.alloc(16 * 1_024 * 1_024 + 1) };
  await expect(outbox.enter(pool, [large])).rejects.toMatchObject({ code: "MESSAGE_TOO_LARGE" });
});
