import { afterAll, beforeAll, expect, test } from "vitest";
import { formatAmount } from "../../lib/domain/money.js";
import { eventually } from "../../tests/harness/eventually.js";
import { FakeModel } from "../../tests/harness/fake_model.js";
import { payments } from "../../tests/harness/process.js";
import { Services } from "../../tests/harness/service.js";
import { rightAnswer, type TrueEvent, UnknownProvider } from "../../tests/harness/unknown_provider.js";

let model: FakeModel;
let services: Services;
beforeAll(async () => {
  model = await FakeModel.start();
  services = await Services.create(
    {
      INGEST_RATE_PER_MINUTE: "0",
      OPENAI_API_KEY: "sk-test",
      OPENAI_BASE_URL: model.url,
      // Calls are answered at once but where the model is silent.
      AI_TIMEOUT_SECONDS: "5",
      INGEST_AI_WAIT_MS: "4000",
      AI_MAX_RETRIES: "0",
    },
    "ingest",
  );
  await services.start();
}, 60_000);
afterAll(async () => {
  await services?.close();
  await model?.close();
});

const post = (event: TrueEvent, provider: string) =>
  services.post("/api/v1/events", { raw_event: event.document, provider });
const batch = (events: readonly TrueEvent[], provider: string) =>
  services.request(
    "POST",
    "/api/v1/events/batch",
    JSON.stringify(events.map(({ document }) => ({ raw_event: document, provider }))),
    { "content-type": "application/json" },
  );
const read = async (id: string) => (await services.get(`/api/v1/events/${id}`)).body;
const mappings = async (state: string) =>
  (await services.get(`/api/v1/mappings?state=${state}`)).body.mappings;
const ofProvider = async (provider: string, state: string) =>
  (await mappings(state)).filter((each: { provider: string }) => each.provider === provider);
const take = (provider: UnknownProvider, count: number) =>
  Array.from({ length: count }, () => provider.next());

test("the first event of a provider that nobody knows is understood by the model, within the request", async () => {
  const event = new UnknownProvider(1, "decimal text").next();
  const answer = await post(event, "acme");
  expect(answer).toMatchObject({ status: 201, body: { normalization_method: "ai", confidence_score: 0.8 } });
  expect(await read(answer.body.id)).toMatchObject({
    provider: "acme",
    status_category: event.truth.status,
    amount: formatAmount(event.truth.amountMinor, event.truth.currency),
    merchant_name: event.truth.merchant,
    country: "AR",
    provider_event_id: event.id,
    payment_ref: event.truth.paymentRef,
  });
  expect((await services.get("/api/v1/health")).body.checks.ai).toBe("up");
});

const unprocessedOf = async (provider: string) =>
  (await services.get(`/api/v1/events?provider=${provider}&status_category=UNPROCESSED`)).body.items;

test("after twenty that agree and a call that says the same it is a rule, asked about no more, until a person rejects it", async () => {
  const provider = new UnknownProvider(2, "cents by name");
  const first = await batch(take(provider, 120), "bravo");
  expect(first.status).toBe(201);
  const rule = await eventually("a rule", async () => (await ofProvider("bravo", "promoted"))[0]);
  await eventually("all understood", async () => (await unprocessedOf("bravo")).length === 0);
  const { needs } = (await services.get("/api/v1/mappings?state=promoted")).body;
  expect(needs).toMatchObject({ days: 7 });
  expect(needs.calls).toBeGreaterThan(1);
  const calls = model.requests.length;
  await batch(take(provider, 200), "bravo");
  await eventually("all understood", async () => (await unprocessedOf("bravo")).length === 0);
  expect(model.requests.length - calls).toBeLessThan(4);
  // What a model would say again is refused now.
  const rejected = await services.post(`/api/v1/mappings/${rule.id}/reject`, {});
  expect(rejected).toMatchObject({ status: 200, body: { state: "rejected" } });
  expect(await services.post(`/api/v1/mappings/${rule.id}/accept`, {})).toMatchObject({
    status: 409,
    body: { code: "MAPPING_DECIDED" },
  });
  await eventually("taken back", async () => (await unprocessedOf("bravo")).length > 0);
  expect(await services.audit()).toEqual([]);
});

test("a request does not wait long: it is answered, and finished in the background", async () => {
  model.mood = "silent";
  const event = new UnknownProvider(3, "decimal text").next();
  const answer = await post(event, "charlie");
  expect(answer).toMatchObject({ status: 201, body: { status: "UNPROCESSED" } });
  expect(await read(answer.body.id)).toMatchObject({ unprocessed: { code: "AI_PENDING" } });
  model.mood = "schema";
  await eventually(
    "understood",
    async () => (await read(answer.body.id)).status_category === event.truth.status,
  );
});

test("a wrong answer is refused by the checks, and asked for again", async () => {
  let asked = 0;
  model.answer = (about) => {
    asked += 1;
    const right = rightAnswer(about);
    return asked === 1 && right.amount ? { ...right, amount: { ...right.amount, unit: "minor" } } : right;
  };
  const event = new UnknownProvider(4, "decimal text").next();
  const { body } = await post(event, "delta");
  await eventually("understood", async () => (await read(body.id)).status_category === event.truth.status);
  expect((await read(body.id)).amount).toBe(formatAmount(event.truth.amountMinor, event.truth.currency));
  expect(asked).toBeGreaterThan(1);
  model.answer = rightAnswer;
});

test("commands list what was learned, and test what there is", async () => {
  const cli = async (...args: string[]) =>
    JSON.parse((await payments(services.settings, "rules", ...args, "--json")).stdout);
  const [{ mappings: pending }, tested] = await Promise.all([cli("pending"), cli("test")]);
  expect(pending.map(({ provider }: { provider: string }) => provider)).toContain("acme");
  expect(tested).toMatchObject({ failed: [] });
  expect(await cli("reject", pending[0].id)).toMatchObject({ state: "rejected" });
});

test("what must not be is refused by the tables", async () => {
  const [rejected] = await services.owner<{ id: string }>(
    "SELECT id FROM ingest.mapping WHERE state = 'rejected'",
  );
  for (const statement of [
    "UPDATE ingest.mapping SET state = 'promoted' WHERE id = $1",
    "UPDATE ingest.mapping SET layout = '0123456789abcdef' WHERE id = $1",
    "DELETE FROM ingest.mapping WHERE id = $1",
    "UPDATE ingest.model_call SET outcome = 'new' WHERE id <> $1",
  ]) {
    await expect(services.owner(statement, [rejected?.id])).rejects.toMatchObject({ code: "23001" });
  }
});
