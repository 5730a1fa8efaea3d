import { afterAll, beforeAll, expect, test } from "vitest";
import { audit } from "../../../app/audit.js";
import { MODULES } from "../../../app/modules.js";
import { CoreError } from "../../../lib/core_errors.js";
import { silentLogger } from "../../../lib/observability/log.js";
import { Lake } from "../../../tests/harness/lake.js";
import { payments } from "../../../tests/harness/process.js";
import { Services } from "../../../tests/harness/service.js";
import { createLakePool, Poller } from "./poller.js";
import type { LakeEvent } from "./row.js";

let services: Services;
let lake: Lake;
beforeAll(async () => {
  services = await Services.create({}, "ingest");
  lake = await Lake.create();
});
afterAll(async () => {
  await services?.close();
  await lake?.drop();
});

const settings = () => ({ ...services.settings, DATALAKE_DATABASE_URL: lake.url });
const poll = async (...args: string[]) => {
  const { code, stdout, stderr } = await payments(settings(), "lake-poll", "--once", "--json", ...args);
  expect([code, stderr.replace(/payments: .* rows wait again\n/, "")]).toEqual([0, ""]);
  return JSON.parse(stdout);
};

const id = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;
const insert = (rows: readonly { n: number; data: unknown; merchant?: unknown; transaction?: string }[]) =>
  lake.query(
    `INSERT INTO raw_transactions (id, data, merchant, transactional_id, created_at)
     SELECT *, now() - ord * interval '1 minute'
     FROM unnest($1::uuid[], $2::jsonb[], $3::jsonb[], $4::uuid[]) WITH ORDINALITY AS a (id, data, merchant, transaction, ord)`.replace(
      "SELECT *, now()",
      "SELECT id, data, merchant, transaction, now()",
    ),
    [
      rows.map(({ n }) => id(n)),
      rows.map(({ data }) => (data === undefined ? null : JSON.stringify(data))),
      rows.map(({ merchant }) => (merchant === undefined ? null : JSON.stringify(merchant))),
      rows.map(({ transaction }) => transaction ?? null),
    ],
  );
const events = () =>
  services.owner<Record<string, unknown>>(
    `SELECT b.source_key, e.provider, e.status, e.amount::text, e.currency, e.merchant, e.country, b.hint
     FROM ingest.event e JOIN ingest.body b ON b.id = e.body_id WHERE b.source = 'lake' ORDER BY e.id`,
  );

test("rows of all shapes are taken once, the oldest first, with what the lake knows of their merchant", async () => {
  const flat = { p_id: "stripe", amt: 5_000, cur: "usd", st: "succeeded" };
  const xml = "<transaction><id>b1</id><status>settled</status></transaction>";
  await insert([
    { n: 1, data: { ...flat, merchant: "Its own" }, merchant: { id: "m", name: "Condor", country: "Perú" } },
    { n: 2, data: flat, merchant: { id: "m", name: "Condor", country: "Perú" }, transaction: id(77) },
    { n: 3, data: { content: xml, provider: "braintree" }, merchant: { name: "Nord", country: "DEU" } },
    { n: 4, data: "no;payment\n1;2\n", merchant: "no object" },
    { n: 5, data: undefined },
    { n: 6, data: 12.5 },
    { n: 7, data: { note: "x".repeat(300_000) }, merchant: { name: null, country: "Nowhere" } },
  ]);
  expect(await poll()).toEqual({ taken: 7, refused: 0 });
  const found = await events();
  expect(found.map(({ source_key }) => source_key)).toEqual([
    id(7),
    id(6),
    id(5),
    id(4),
    id(3),
    `${id(77)}/${id(2)}`,
    id(1),
  ]);
  const money = { provider: "stripe", status: "APPROVED", amount: "50.00", currency: "USD" };
  expect(found.slice(-2)).toMatchObject([
    { ...money, merchant: "Condor", country: "PE" },
    { ...money, merchant: "Its own", country: "PE" },
  ]);
  expect(found[4]).toMatchObject({ merchant: "Nord", country: "DE", hint: "braintree" });
  for (const unread of found.slice(0, 4)) {
    expect(unread).toMatchObject({ status: "UNPROCESSED", merchant: null, country: null });
  }
  expect(await lake.marks()).toEqual({ marked: 7, waiting: 0 });
});

test("taken again after a restore of ingest, rows that it has change nothing", async () => {
  const before = await events();
  expect(await poll("--again-since", "2020-01-01T00:00:00Z")).toEqual({ taken: 7, refused: 0 });
  expect(await events()).toEqual(before);
  expect(await lake.marks()).toEqual({ marked: 7, waiting: 0 });
});

test("generated rows of all shapes come to what their answer key says, whoever takes them; payments serve does too", async () => {
  const filled = await payments(
    settings(),
    "traffic",
    "--json",
    "--lake",
    "1200",
    "--lake-database",
    lake.name,
  );
  const { traffic: trafficId } = JSON.parse(filled.stdout);
  await services.start(() => ({ DATALAKE_DATABASE_URL: lake.url }));
  await poll();
  await services.stop();
  expect(await lake.marks()).toEqual({ marked: 1_207, waiting: 0 });
  const options = { graceS: 0, giveUpS: 0, trafficId, settings: services.settings };
  expect(await audit(services.platform.pool, MODULES, options)).toEqual({ differences: [], unread: [] });
});

test("a row that the intake refuses keeps no other, and a server that is away keeps all", async () => {
  await insert([10, 11, 12].map((n) => ({ n, data: { n } })));
  const pool = createLakePool(lake.url, "test");
  const drain = (take: (events: readonly LakeEvent[]) => Promise<unknown>) =>
    new Poller({ pool, intake: { take }, logger: silentLogger }).drain(new AbortController().signal);
  try {
    const away = new CoreError("POSTGRES_UNREACHABLE", "away");
    await expect(drain(() => Promise.reject(away))).rejects.toBe(away);
    expect(await lake.marks()).toMatchObject({ waiting: 3 });
    const taken: string[] = [];
    const refusing = async (some: readonly LakeEvent[]) => {
      if (some.some(({ sourceKey }) => sourceKey === id(11))) {
        throw new Error("not this one");
      }
      taken.push(...some.map(({ sourceKey }) => sourceKey));
    };
    expect(await drain(refusing)).toEqual({ taken: 2, refused: 1 });
    expect(taken).toEqual([id(12), id(10)]);
    expect(await drain(async () => undefined)).toEqual({ taken: 1, refused: 0 });
  } finally {
    await pool.end();
  }
});

test("the poller's role reads rows and marks them, and may do nothing else", async () => {
  const pool = createLakePool(lake.url, "test");
  try {
    await pool.query("UPDATE raw_transactions SET processed = true, processed_at = now()");
    for (const sql of [
      "UPDATE raw_transactions SET data = '{}'",
      "UPDATE raw_transactions SET merchant = NULL",
      "INSERT INTO raw_transactions (data) VALUES ('{}')",
      "DELETE FROM raw_transactions",
      "TRUNCATE raw_transactions",
      "CREATE TABLE mine (a int)",
    ]) {
      await expect(pool.query(sql), sql).rejects.toMatchObject({ code: "42501" });
    }
  } finally {
    await pool.end();
  }
});
