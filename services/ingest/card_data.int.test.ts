import { inflateRawSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { drain } from "../../tests/harness/broker.js";
import { eventually } from "../../tests/harness/eventually.js";
import { FakeModel } from "../../tests/harness/fake_model.js";
import { Services } from "../../tests/harness/service.js";
import { Serving } from "../../tests/harness/serving.js";
import { UnknownProvider } from "../../tests/harness/unknown_provider.js";

/** Events with a card in every format, sent to a process that logs all it can; then everything that can be read is searched. */
const PAN = "4548812049400004";
const CVV = "9137";
const groups = (by: string) => (PAN.match(/\d{4}/g) ?? []).join(by);
/** Twelve of the digits in base64, wherever the number stands in what is encoded. */
const inBase64 = [0, 1, 2].map((before) =>
  Buffer.from(" ".repeat(before) + PAN)
    .toString("base64")
    .slice(4, -4),
);
const FORMS = [PAN, groups(" "), groups("-"), groups("%20"), groups("+"), ...inBase64];
/** Between letters of UUIDs and hashes four digits are nobody's CVV. */
const CVV_FOUND = new RegExp(`(?<![\\da-f-])${CVV}(?![\\da-f-])`);

let model: FakeModel;
let services: Services;
let serving: Serving;
beforeAll(async () => {
  model = await FakeModel.start();
  services = await Services.create({}, "ingest");
  const settings = {
    ...{ INGEST_RATE_PER_MINUTE: "0", INGEST_RETRY_EVERY_S: "1", LOG_LEVEL: "trace" },
    ...{ OPENAI_API_KEY: "sk-test", OPENAI_BASE_URL: model.url, AI_MAX_RETRIES: "0" },
  };
  serving = await Serving.start({ ...services.settings, ...settings }, "ingest");
  await serving.ready();
}, 60_000);
afterAll(async () => {
  await serving?.stop();
  await services?.close();
  await model?.close();
});

const card = { number: PAN, cvv: CVV, cvc: CVV, exp_month: 4 };
const redsys = {
  ...{ Ds_Date: "20/11/2025", Ds_Hour: "10:05", Ds_Amount: "1000", Ds_Currency: "978", Ds_Order: "T1" },
  ...{ Ds_MerchantCode: "999008881", Ds_Terminal: "1", Ds_Response: "0000", Ds_TransactionType: "0" },
  ...{ Ds_Card_Number: PAN, Ds_Cvv2: CVV },
};
const EVENTS: readonly { readonly raw_event: unknown; readonly provider?: string }[] = [
  {
    raw_event: {
      ...{ id: "ch_1", object: "charge", amount: 5_000, currency: "usd", status: "succeeded" },
      ...{ created: 1_763_632_800, description: `paid with ${groups(" ")}`, source: card },
    },
  },
  ...Array.from({ length: 30 }, (_, seed) => ({
    raw_event: {
      ...new UnknownProvider(seed, "decimal text").next().document,
      card,
      result: PAN,
      note: `cvv=${CVV}`,
    },
    provider: "acme",
  })),
  { raw_event: { Ds_MerchantParameters: Buffer.from(JSON.stringify(redsys)).toString("base64") } },
  {
    raw_event: `<t><status>${groups("-")}</status><card number="${PAN}" cvv="${CVV}"><pan>${PAN}</pan><cvv>${CVV}</cvv></card></t>`,
  },
  { raw_event: `id,card_number,cvv,status\n1,${PAN},${CVV},paid\n2,${groups(" ")},${CVV},paid\n` },
  { raw_event: `card_number=${groups("%20")}&pan=${groups("+")}&cvv=${CVV}&status=ok` },
  { raw_event: `{"card": {"number": "${PAN}", "cvv": "${CVV}"` },
  { raw_event: { puzzle: { card, [PAN]: "a name" }, list: [[PAN], { cvv2: Number(CVV) }] } },
  { raw_event: { puzzle: 2 }, provider: `shop ${PAN} cvv=${CVV}` },
];

async function send(path: string, body: string, type: string): Promise<string> {
  const headers = { "content-type": type };
  return (await fetch(`${serving.url}/api/v1/events${path}`, { method: "POST", body, headers })).text();
}

/** Every row of every table that ingest may write, as text. */
async function rows(): Promise<string> {
  const tables = await services.owner<{ name: string }>(
    "SELECT oid::regclass::text AS name FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'ingest'::regnamespace",
  );
  const texts = await Promise.all(
    tables.map(({ name }) => services.owner<{ text: string }>(`SELECT t::text AS text FROM ${name} t`)),
  );
  return texts
    .flat()
    .map(({ text }) => text)
    .join("\n");
}

async function bodies(): Promise<string> {
  const stored = await services.owner<{ bytes: Buffer }>("SELECT bytes FROM ingest.body");
  return stored.map(({ bytes }) => inflateRawSync(bytes).toString()).join("\n");
}

/** With what is in base64 in it. */
const opened = (text: string): string =>
  [
    text,
    ...(text.match(/[\w+/]{40,}={0,2}/g) ?? []).map((run) => Buffer.from(run, "base64").toString()),
  ].join("\n");

test("a card number and a CVV are nowhere: answers, tables, bodies, logs, dead letters, prompts", async () => {
  const answers = await Promise.all([
    ...EVENTS.map((event) => send("", JSON.stringify(event), "application/json")),
    send("/batch", EVENTS.map((event) => JSON.stringify(event)).join("\n"), "application/x-ndjson"),
    // What is no JSON is refused, by words that may quote it.
    send("", `{"raw_event": {"card": {"number": "${PAN}", "cvv": "${CVV}"`, "application/json"),
    send("", `{"raw_event": {"cvv": ${CVV}, "cvv": ${PAN}}}`, "application/json"),
    send("/batch", `{"raw_event": ${PAN} cvv=${CVV}\n`, "application/x-ndjson"),
  ]);
  await eventually("a prompt", () => model.requests.length > 0);
  await services.owner("UPDATE ingest.event SET attempts = 2, retry_at = now() WHERE retry_at IS NOT NULL");
  const letters: string[] = [];
  await eventually("a dead letter", async () => {
    const found = await drain(services.settings, "ingest.dlq");
    letters.push(...found.map((each) => each.content.toString() + JSON.stringify(each.properties)));
    return letters.length > 0;
  });
  const places = {
    ...{ answers: answers.join("\n"), letters: letters.join("\n"), log: serving.written },
    ...{ prompts: JSON.stringify(model.requests), rows: await rows(), bodies: await bodies() },
  };
  const found = Object.entries(places).flatMap(([place, text]) => {
    const all = opened(text);
    const forms = FORMS.filter((form) => all.includes(form));
    return [...forms, ...(CVV_FOUND.test(all) ? ["the CVV"] : [])].map((what) => `${what} in ${place}`);
  });
  expect(found).toEqual([]);
  // What was searched is what came.
  expect(places.rows).toContain("MALFORMED");
  expect(places.bodies).toContain("454881******0004");
  expect(places.log).toContain('"level":"debug"');
});
