import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { ConsumeMessage, GetMessage } from "amqplib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ETL_QUEUES } from "../etl/queues.js";
import { DeadLetters } from "../lib/broker/dead_letters.js";
import { silentLogger } from "../lib/observability/log.js";
import { pause } from "../lib/timing.js";
import { depth, drain, onChannel, publishByHand } from "./harness/broker.js";
import { DeadLetterLab, numbered } from "./harness/dead_letters.js";
import { eventually } from "./harness/eventually.js";
import { payments, startPayments } from "./harness/process.js";

let lab: DeadLetterLab;
beforeEach(async () => {
  lab = await DeadLetterLab.create();
});
afterEach(() => lab.close());

const { work, deadLetter } = ETL_QUEUES;

interface Letters {
  letters: { id: string; code: string; body: string; encoding: string; headers: Record<string, unknown> }[];
  total: number;
  selected: number;
  byCode: Record<string, number>;
}

async function list(...args: string[]): Promise<Letters> {
  const { code, data } = await lab.dlq("list", ...args);
  expect(code).toBe(0);
  return data as Letters;
}

const open = () =>
  DeadLetters.open({ address: lab.settings, name: "test", logger: silentLogger, family: ETL_QUEUES });

/** A pass through all letters as the commands make it, within this process. @returns how many were seen. */
async function look(onWindow: () => void): Promise<number> {
  const letters = await open();
  try {
    let seen = 0;
    for await (const window of letters.windows()) {
      seen += window.length;
      onWindow();
    }
    return seen;
  } finally {
    await letters.close();
  }
}

/** What was sent: without the counts that the broker adds, of which each of its versions has its own. */
function headersOf(message: GetMessage | undefined): Record<string, unknown> {
  const headers = Object.entries(message?.properties.headers ?? {});
  return Object.fromEntries(headers.filter(([name]) => !/^x-(delivery|acquired)-count$/.test(name)));
}

test("list shows letters oldest first, by code and up to a limit, and takes none", async () => {
  await lab.plant([...numbered(40, "23505"), { id: "odd", code: "RUN_UNKNOWN", body: "a\u001b[31m\nb" }]);
  const all = await list();
  expect(all.letters.map((letter) => letter.id)).toEqual([...numbered(40).map(({ id }) => id), "odd"]);
  expect(all).toMatchObject({ total: 41, selected: 41, byCode: { "23505": 40, RUN_UNKNOWN: 1 } });
  expect(await list("--reason", "23505", "--limit", "3")).toMatchObject({ total: 41, selected: 40 });
  expect((await list("--reason", "23505", "--limit", "3")).letters).toHaveLength(3);
  expect((await list("--reason", "NONE")).letters).toEqual([]);

  const text = await payments(lab.settings, "dlq", "list", "--reason", "RUN_UNKNOWN");
  expect(text).toMatchObject({ code: 0, stderr: "" });
  expect(text.stdout).toMatch(
    /odd +2026-01-01T10:00:00.000Z .* RUN_UNKNOWN +1 +test:1 +planted as RUN_UNKNOWN +a·\[31m b\n/,
  );
  expect(text.stdout).toContain("1 of 41 dead letters selected");
  expect(await depth(lab.settings, deadLetter)).toBe(41);
  expect(await lab.actions()).toEqual([]);
});

test.each([undefined, 1_000])(
  "looking at letters again and again keeps their order and loses none (delivery limit: %s)",
  async (limit) => {
    // With a limit the broker keeps what comes back apart from the rest, in an order of its own.
    if (limit !== undefined) {
      await lab.setPolicy(deadLetter, { "delivery-limit": limit });
    }
    await lab.plant(numbered(1_200));
    for (let i = 0; i < 10; i++) {
      expect(await look(() => undefined)).toBe(1_200);
    }
    expect((await list()).letters.map((letter) => letter.id)).toEqual(numbered(1_200).map(({ id }) => id));
  },
);

test("show prints a letter whole: text as text, bytes in base64; an unknown id is a usage error", async () => {
  await lab.plant([...numbered(20), { id: "bytes", body: Buffer.from([0xff, 0x00, 0xfe]) }]);
  const { data } = await lab.dlq("show", "m000019");
  expect(data).toMatchObject({
    letters: [
      { id: "m000019", body: "letter m000019", encoding: "utf8", headers: { tenant: "a", "x-attempts": 1 } },
    ],
  });
  expect((await lab.dlq("show", "bytes")).data).toMatchObject({
    letters: [{ body: "/wD+", encoding: "base64" }],
  });
  const text = await payments(lab.settings, "dlq", "show", "m000019");
  expect(text.stdout).toMatch(/^id {12}m000019\ncode {10}RUN_UNKNOWN\n/);
  expect(text.stdout).toMatch(/ {2}tenant: "a"\n[\s\S]*body, 14 bytes\nletter m000019\n$/);
  expect(await lab.dlq("show", "nobody")).toEqual({ code: 2, data: undefined, error: "DEAD_LETTER_UNKNOWN" });
  expect(await depth(lab.settings, deadLetter)).toBe(21);
});

test("a letter that bears no id or no reason has a lasting one of its own", async () => {
  expect(await publishByHand(lab.settings, work, '{"poison":true}')).toBe(true);
  // As a worker that dies of it, each time.
  const die = async () => {
    await onChannel(lab.settings, (channel) => channel.get(work));
    return (await depth(lab.settings, deadLetter)) === 1;
  };
  await eventually("the delivery limit", die, { withinMs: 90_000, everyMs: 25 });
  await publishByHand(lab.settings, deadLetter, "put here by hand");
  const first = await list();
  expect(first.byCode).toEqual({ DELIVERY_LIMIT: 1, UNKNOWN: 1 });
  expect(first.letters.map(({ id }) => id)).toEqual([
    expect.stringMatching(/^derived-[0-9a-f]{20}$/),
    expect.stringMatching(/^derived-[0-9a-f]{20}$/),
  ]);
  expect(Date.parse((first.letters[0] as unknown as { lastFailedAt: string }).lastFailedAt)).toBeGreaterThan(
    0,
  );
  expect((await list()).letters.map(({ id }) => id)).toEqual(first.letters.map(({ id }) => id));

  const id = String(first.letters[0]?.id);
  expect(await lab.dlq("replay", id)).toMatchObject({ code: 0, data: { selected: 1, done: 1, total: 2 } });
  const [message] = await drain(lab.settings, work);
  expect(message?.properties.messageId).toBe(id);
  expect(headersOf(message)).toEqual({});
  expect(message?.content.toString()).toBe('{"poison":true}');
});

test("replay sends the chosen letters as their producer did, leaves the others in order, and records all of it", async () => {
  const some = numbered(100).map((letter, i) => ({ ...letter, code: i % 2 ? "23505" : "RUN_UNKNOWN" }));
  await lab.plant(some);
  const odd = some.filter(({ code }) => code === "23505").map(({ id }) => id);
  const even = some.filter(({ code }) => code !== "23505").map(({ id }) => id);

  const plan = await lab.dlq("replay", "--reason", "23505", "--dry-run");
  expect(plan).toMatchObject({ code: 0, data: { total: 100, selected: 50, byCode: { "23505": 50 } } });
  expect((plan.data as Letters).letters.map(({ id }) => id)).toEqual(odd);
  expect(await depth(lab.settings, work)).toBe(0);
  expect(await lab.actions()).toEqual([]);

  expect(await lab.dlq("replay", "--reason", "23505")).toMatchObject({
    code: 0,
    data: { action: "replay", done: 50 },
  });
  expect((await list()).letters.map(({ id }) => id)).toEqual(even);
  const sent = await drain(lab.settings, work);
  expect(sent.map((message) => message.properties.messageId)).toEqual(odd);
  for (const message of sent) {
    expect(headersOf(message)).toEqual({ tenant: "a" });
  }

  expect(await lab.dlq("replay", "m000000")).toMatchObject({ code: 0, data: { done: 1, total: 50 } });
  expect(await lab.dlq("replay", "--all")).toMatchObject({ code: 0, data: { done: 49, total: 49 } });
  expect(await lab.dlq("replay", "--all")).toMatchObject({ code: 0, data: { done: 0, total: 0 } });
  expect(await lab.dlq("replay", "m000000")).toMatchObject({ code: 2, error: "DEAD_LETTER_UNKNOWN" });
  expect(await depth(lab.settings, deadLetter)).toBe(0);

  const actions = await lab.actions();
  expect(
    actions.map((row) => [row["letter_id"], row["error_code"], row["state"], row["letters_done"]]),
  ).toEqual([
    [null, "23505", "completed", 50],
    ["m000000", null, "completed", 1],
    [null, null, "completed", 49],
    [null, null, "completed", 0],
    ["m000000", null, "failed", 0],
  ]);
  expect(actions[0]).toMatchObject({
    action: "replay",
    queue: deadLetter,
    db_role: "payments_loader",
    letters_total: 100,
  });
  expect(actions[0]?.["os_user"]).toBeTruthy();
  expect(actions[4]?.["failure"]).toMatch(/^DEAD_LETTER_UNKNOWN: /);
  const { rows } = await lab.pool.query(
    "SELECT * FROM ops.dead_letter_action_letter WHERE action_id = 1 AND letter_no = 1",
  );
  expect(rows[0]).toMatchObject({
    letter_id: "m000001",
    error_code: "23505",
    body_bytes: 14,
    body_preview: "letter m000001",
  });
});

test("a message that ran out in the work queue comes back with all its properties, its time to live among them", async () => {
  const properties = {
    messageId: "m1",
    type: "stage",
    contentType: "text/plain",
    contentEncoding: "gzip",
    correlationId: "c1",
    replyTo: "answers",
    appId: "shop",
    timestamp: 1_767_261_600,
    priority: 3,
  };
  const headers = { tenant: "a", large: "x".repeat(40_000) };
  await onChannel(lab.settings, async (channel) => {
    channel.sendToQueue(work, Buffer.from("x"), { ...properties, headers, expiration: "500" });
    await eventually("its end", async () => (await channel.checkQueue(deadLetter)).messageCount === 1);
  });
  const { letters } = await list();
  expect(letters[0]).toMatchObject({ id: "m1", properties, headers });
  expect((await payments(lab.settings, "dlq", "show", "m1")).stdout).toContain('  replyTo: "answers"\n');

  // By somebody who waits for it, so that it does not run out again.
  const taken: ConsumeMessage[] = [];
  await onChannel(lab.settings, async (channel) => {
    await channel.consume(work, (message) => message && taken.push(message));
    expect(await lab.dlq("replay", "m1")).toMatchObject({ code: 0, data: { done: 1 } });
    await eventually("the copy", () => taken.length === 1);
  });
  expect(taken[0]?.properties).toMatchObject({ ...properties, expiration: "500" });
  expect(taken[0]?.properties.headers).toMatchObject(headers);
  const others = Object.keys(taken[0]?.properties.headers ?? {}).filter((name) => !(name in headers));
  expect(others.filter((name) => name !== "x-delivery-count")).toEqual([]);
});

test("purge deletes the chosen letters, only when told yes, and records them", async () => {
  await lab.plant([...numbered(30, "23505"), { id: "keep" }]);
  expect(await lab.dlq("purge", "--all")).toMatchObject({ code: 2, error: "NOT_CONFIRMED" });
  expect(await depth(lab.settings, deadLetter)).toBe(31);
  expect(await lab.actions()).toEqual([]);
  expect(await lab.dlq("purge", "--reason", "23505", "--yes")).toMatchObject({
    code: 0,
    data: { done: 30, total: 31 },
  });
  expect((await list()).letters.map(({ id }) => id)).toEqual(["keep"]);
  expect(await depth(lab.settings, work)).toBe(0);
  expect(await lab.recorded()).toBe(30);
  expect(await lab.dlq("purge", "keep", "--yes")).toMatchObject({ code: 0, data: { done: 1 } });
  expect(await depth(lab.settings, deadLetter)).toBe(0);
  // The record can be added to, not rewritten.
  await expect(lab.pool.query("DELETE FROM ops.dead_letter_action")).rejects.toThrow("permission denied");
  await expect(lab.pool.query("UPDATE ops.dead_letter_action SET os_user = 'x'")).rejects.toThrow(
    "permission denied",
  );
});

test("two passes at once would take letters from each other's sight: the second is refused", async () => {
  await lab.plant([{ id: "large", body: Buffer.alloc(4_000_000, "x") }, ...numbered(3)]);
  // Its output is not read: it stands still in mid-pass.
  const first = startPayments(lab.settings, "dlq", "list", "--json");
  first.child.stdout?.pause();
  await eventually("letters in its hands", async () => (await depth(lab.settings, deadLetter)) === 0);
  expect(await lab.dlq("replay", "--all")).toMatchObject({ code: 1, error: "DEAD_LETTERS_BUSY" });
  first.child.stdout?.resume();
  expect((await first.ended).code).toBe(0);
  expect((await list()).total).toBe(4);
});

test("a pass waits for one that is soon over, as a look of the console is", async () => {
  await lab.plant(numbered(2));
  const first = await open();
  const second = open();
  // Longer than it takes to be refused once.
  expect(await Promise.race([second, pause(500)])).toBeUndefined();
  await first.close();
  const letters = await second;
  expect(letters.total).toBe(2);
  await letters.close();
});

test("a pass keeps no bodies but those of its window", async () => {
  const body = Buffer.alloc(4_000, "x");
  await lab.plant(numbered(5_000).map((letter) => ({ ...letter, body })));
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  const heldBytes: number[] = [];
  const seen = await look(() => {
    collect();
    heldBytes.push(process.memoryUsage().arrayBuffers);
  });
  expect(seen).toBe(5_000);
  // All are 20 MB, a window is 2 MB. At the first one, what planted them may still be there.
  expect(Math.max(...heldBytes.slice(1)) - Number(heldBytes[1])).toBeLessThan(6_000_000);
});
