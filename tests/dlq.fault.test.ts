import { afterEach, expect, test } from "vitest";
import { ETL_QUEUES } from "../etl/queues.js";
import { depth, drain } from "./harness/broker.js";
import { withPool } from "./harness/database.js";
import { DeadLetterLab, numbered, plant } from "./harness/dead_letters.js";
import { eventually } from "./harness/eventually.js";
import { Platform, SMALL_SPEC } from "./harness/platform.js";
import { payments, startPayments } from "./harness/process.js";

const { work, deadLetter } = ETL_QUEUES;

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) {
    await cleanup();
  }
});

async function createLab(): Promise<DeadLetterLab> {
  const lab = await DeadLetterLab.create();
  cleanups.push(() => lab.close());
  return lab;
}

/** Ids that are in neither queue. */
async function missing(lab: DeadLetterLab, count: number): Promise<string[]> {
  const there = new Set([...(await lab.ids(work)), ...(await lab.ids(deadLetter))]);
  return numbered(count)
    .map(({ id }) => String(id))
    .filter((id) => !there.has(id));
}

test("a replay of a thousand letters killed again and again loses none", async () => {
  const lab = await createLab();
  await lab.plant(numbered(1_000));
  let kills = 0;
  for (;;) {
    const recorded = await lab.recorded();
    const sent = await depth(lab.settings, work);
    const replaying = startPayments(lab.settings, "dlq", "replay", "--all");
    let ended = false;
    replaying.ended.then(() => {
      ended = true;
    });
    // By turns when so many copies have gone out, and when so many are recorded; the first window has 16, the next 500.
    const some = Math.floor(kills / 2) * 40;
    await eventually(
      "progress",
      async () =>
        ended ||
        (kills % 2 === 0
          ? (await depth(lab.settings, work)) > sent + some
          : (await lab.recorded()) > recorded + some),
      { everyMs: 1 },
    );
    if (ended) {
      break;
    }
    replaying.child.kill("SIGKILL");
    await replaying.ended;
    kills += 1;
    await eventually("all letters there", async () => (await missing(lab, 1_000)).length === 0);
    if (kills === 4) {
      break;
    }
  }
  expect(kills).toBeGreaterThan(2);
  const states = (await lab.actions()).map((action) => action["state"]);
  expect(states).toContain("started");

  // What the last one held comes back when RabbitMQ has noticed its death, some of it after a replay has looked.
  await eventually("all replayed", async () => {
    await lab.dlq("replay", "--all");
    return (await depth(lab.settings, deadLetter)) === 0;
  });
  const sent = await drain(lab.settings, work);
  expect(new Set(sent.map((message) => message.properties.messageId)).size).toBe(1_000);
  expect(await lab.recorded()).toBeGreaterThanOrEqual(1_000);
  console.info(`${kills} kills: ${sent.length} copies of 1,000 letters`);
});

test("SIGTERM in mid-replay ends it in order: what was not replayed is back, each after the one before", async () => {
  const lab = await createLab();
  await lab.plant(numbered(5_000));
  const replaying = startPayments(lab.settings, "dlq", "replay", "--all");
  await eventually("copies sent", async () => (await depth(lab.settings, work)) > 0, { everyMs: 1 });
  replaying.child.kill("SIGTERM");
  const { code, stderr } = await replaying.ended;
  expect(code).toBe(130);
  expect(stderr).toContain("INTERRUPTED");
  const done = await depth(lab.settings, work);
  expect((await lab.actions())[0]).toMatchObject({ state: "failed", letters_done: done });
  const { data } = await lab.dlq("list");
  const ids = (data as { letters: { id: string }[] }).letters.map(({ id }) => id);
  expect(ids.toSorted()).toEqual(
    numbered(5_000)
      .map(({ id }) => id)
      .slice(done),
  );
  // The broker may put what was looked at behind what was not.
  const breaks = ids.filter((id, i) => i > 0 && id < String(ids[i - 1]));
  expect(breaks.length).toBeLessThanOrEqual(1);
});

test("letters that the broker refuses stay where they are", async () => {
  const lab = await createLab();
  await lab.plant(numbered(100));
  await lab.setPolicy(work, { "max-length": 10 });
  expect(await lab.dlq("replay", "--all")).toMatchObject({ code: 1, error: "PUBLISH_NACKED" });
  expect(await missing(lab, 100)).toEqual([]);
  const [failed] = await lab.actions();
  expect(failed).toMatchObject({ state: "failed", failure: expect.stringMatching(/^PUBLISH_NACKED: /) });
  expect(failed?.["letters_done"]).toBe(await depth(lab.settings, work));
  expect(failed?.["letters_done"]).toBeLessThan(100);

  await lab.setPolicy(work, { "max-length": 1_000 });
  expect((await lab.dlq("replay", "--all")).code).toBe(0);
  expect((await drain(lab.settings, work)).map((message) => message.properties.messageId).toSorted()).toEqual(
    numbered(100).map(({ id }) => id),
  );
});

test("no letter leaves without a record: neither replayed nor purged when the database refuses it", async () => {
  const lab = await createLab();
  await lab.plant(numbered(10));
  await withPool({ role: "admin", database: lab.settings.POSTGRES_DB }, (pool) =>
    pool.query("REVOKE ALL ON ops.dead_letter_action_letter FROM payments_loader"),
  );
  for (const args of [
    ["replay", "--all"],
    ["purge", "--all", "--yes"],
  ]) {
    expect((await lab.dlq(...args)).code).toBe(1);
    expect(await depth(lab.settings, deadLetter)).toBe(10);
  }
  expect((await lab.actions()).map((action) => action["state"])).toEqual(["failed", "failed"]);

  const away = { ...lab.settings, POSTGRES_PORT: 1 };
  expect((await payments(away, "dlq", "replay", "--all")).stderr).toContain("POSTGRES_UNREACHABLE");
  expect((await payments(away, "dlq", "list")).code).toBe(0);
  expect(await depth(lab.settings, deadLetter)).toBe(10);
});

test("steps that failed for want of a right are replayed, each twice, and commit once", async () => {
  const platform = await Platform.create();
  cleanups.push(() => platform.close());
  const asAdmin = (sql: string) =>
    withPool({ role: "admin", database: platform.settings.POSTGRES_DB }, (pool) => pool.query(sql));
  await asAdmin("REVOKE INSERT ON etl.chunk FROM payments_loader");
  const worker = await platform.startWorker();
  const run = await platform.kickoff({}, 4);
  await eventually(
    "a window of dead letters",
    async () => (await depth(platform.settings, deadLetter)) === 4,
  );

  await asAdmin("GRANT INSERT ON etl.chunk TO payments_loader");
  // The same letters again, as after a kill between copy and ack.
  const letters = await drain(platform.settings, deadLetter);
  const twice = [...letters, ...letters].map((letter) => ({
    id: letter.properties.messageId,
    body: letter.content,
    headers: { ...letter.properties.headers },
  }));
  await plant(platform.settings, twice);
  const replay = await payments(platform.settings, "dlq", "replay", "--reason", "42501", "--json");
  expect(JSON.parse(replay.stdout)).toMatchObject({ total: 8, done: 8 });
  await platform.done(run.runId);

  // And once more when all is done.
  const committed = () => platform.value("SELECT json_agg(c ORDER BY chunk_no)::text FROM etl.chunk AS c");
  const before = await committed();
  await plant(platform.settings, twice);
  expect((await payments(platform.settings, "dlq", "replay", "--all")).code).toBe(0);
  await eventually("queue empty", async () => (await depth(platform.settings, work)) === 0);
  await platform.stopWorker(worker);
  expect(await committed()).toBe(before);
  expect(await depth(platform.settings, deadLetter)).toBe(0);
  expect((await platform.verify()).differences).toEqual([]);
  const rows = "SELECT (SELECT count(*) FROM txn) + (SELECT count(*) FROM txn_reject)";
  expect(await platform.value(rows)).toBe(SMALL_SPEC.rows);
});
