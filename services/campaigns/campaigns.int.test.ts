import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { createServicePool } from "../../lib/postgres/service_pool.js";
import { isPurged, type PurgedTable, purge } from "../../lib/runtime/retention.js";
import { deferred } from "../../lib/timing.js";
import { drain } from "../../tests/harness/broker.js";
import { withPool } from "../../tests/harness/database.js";
import { eventually } from "../../tests/harness/eventually.js";
import { Services } from "../../tests/harness/service.js";
import {
  campaignsEvtActivated,
  campaignsEvtCreated,
  campaignsEvtUpdated,
} from "../contracts/campaigns_evt.js";
import { campaignsSpendDecided } from "../contracts/campaigns_spend_decided.js";
import {
  collectorEvtClick,
  collectorEvtConversion,
  collectorEvtImpression,
} from "../contracts/collector_evt.js";
import { CAMPAIGNS_RETENTION } from "./retention.js";

let services: Services;
beforeAll(async () => {
  services = await Services.create({}, "campaigns");
  await services.start();
});
afterAll(() => services?.close());

const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();
const order = (more: object = {}) => ({ name: "Autumn", budget: "10.00", currency: "USD", ...more });
const patch = (path: string, body?: object, headers: Record<string, string> = {}) =>
  services.request("PATCH", path, body, headers);
const at = (id: string, rest = "") => `/campaigns/${id}${rest}`;
const stateOf = async (id: string) => (await services.get(at(id))).body.state as string;

/** A campaign that spends. @returns its id */
async function active(more: object = {}): Promise<string> {
  const { status, body } = await services.post("/campaigns", order(more));
  expect(status).toBe(201);
  expect((await patch(at(body.id, "/activate"))).status).toBe(200);
  return body.id;
}

const seen = (campaign: string, more: object = {}) => ({
  source: "acme",
  event_id: randomUUID(),
  campaign_id: campaign,
  occurred_at: new Date().toISOString(),
  ...more,
});
const conversion = (campaign: string, more: object = {}) => ({
  ...seen(campaign),
  id_afiliado: "afiliado-1",
  spend: "1.00",
  commission: "0.10",
  moneda: "USD" as const,
  ...more,
});
const metricsOf = async (id: string) => (await services.get(at(id, "/metrics"))).body;
const countsOf = async (id: string) => {
  const { impressions, clicks, conversions, spend, remaining } = await metricsOf(id);
  return { impressions, clicks, conversions, spend, remaining };
};
const books = () =>
  eventually("the books agree", async () => (await services.differences("campaigns")).length === 0);

describe("over HTTP a campaign", () => {
  test("is made, found and announced; with and without the slash at the end", async () => {
    const created = await services.watch(campaignsEvtCreated);
    const [starts_at, ends_at] = ["2026-01-01T00:00:00.000Z", inMs(3_600_000)];
    const { status, body, headers } = await services.post("/campaigns/", order({ starts_at, ends_at }));
    expect(status).toBe(201);
    expect(body).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{14}7/),
      name: "Autumn",
      state: "CREATED",
      budget: "10.00",
      currency: "USD",
      starts_at,
      ends_at,
      version: 1,
      created_at: expect.any(String),
      updated_at: body.created_at,
    });
    expect(headers.get("location")).toBe(at(body.id));
    expect(headers.get("etag")).toBe('"1"');
    for (const path of [at(body.id), at(body.id, "/")]) {
      const found = await services.get(path);
      expect([found.status, found.body, found.headers.get("etag")]).toEqual([200, body, '"1"']);
    }
    expect(await metricsOf(body.id)).toEqual({
      campaign_id: body.id,
      impressions: 0,
      clicks: 0,
      conversions: 0,
      spend: "0.00",
      remaining: "10.00",
      currency: "USD",
      as_of: expect.any(String),
    });
    const [event] = await eventually("announced", async () => {
      const all = (await created()).filter((each) => each.body.campaign_id === body.id);
      return all.length > 0 && all;
    });
    expect(event?.body).toEqual({
      campaign_id: body.id,
      name: "Autumn",
      state: "CREATED",
      budget: "10.00",
      spend: "0.00",
      currency: "USD",
      impressions: 0,
      clicks: 0,
      conversions: 0,
      version: 1,
      occurred_at: expect.any(String),
      trace_id: headers.get("traceparent")?.slice(3, 35),
    });
  });

  test("goes from state to state; the same again changes nothing; what is illegal names both", async () => {
    const [activated, updated] = [
      await services.watch(campaignsEvtActivated),
      await services.watch(campaignsEvtUpdated),
    ];
    const { id } = (await services.post("/campaigns", order())).body;
    const move = async (verb: string) => {
      const { status, body, headers } = await patch(at(id, `/${verb}`));
      return status === 200
        ? `${body.state} ${body.version} ${headers.get("etag")}`
        : `${status} ${body.code} ${body.from} ${body.to}`;
    };
    expect(await move("pause")).toBe("409 CAMPAIGN_STATE CREATED PAUSED");
    expect(await move("activate")).toBe('ACTIVE 2 "2"');
    expect(await move("activate/")).toBe('ACTIVE 2 "2"');
    expect(await move("pause")).toBe('PAUSED 3 "3"');
    expect(await move("activate")).toBe('ACTIVE 4 "4"');
    expect(await move("complete")).toBe('COMPLETED 5 "5"');
    expect(await move("complete")).toBe('COMPLETED 5 "5"');
    expect(await move("activate")).toBe("409 CAMPAIGN_STATE COMPLETED ACTIVE");
    expect(await move("pause")).toBe("409 CAMPAIGN_STATE COMPLETED PAUSED");
    expect(await patch(at(id, "/budget"), { budget: 20 })).toMatchObject({
      status: 409,
      body: { code: "CAMPAIGN_STATE" },
    });
    const versions = async (watch: typeof activated) =>
      (await watch()).flatMap(({ body }) => (body.campaign_id === id ? `${body.state} ${body.version}` : []));
    await eventually("announced", async () => (await versions(updated)).length === 2);
    expect((await versions(activated)).sort()).toEqual(["ACTIVE 2", "ACTIVE 4"]);
    expect((await versions(updated)).sort()).toEqual(["COMPLETED 5", "PAUSED 3"]);
  });

  test("has another budget on request, if it is still as it was seen", async () => {
    const id = await active();
    const budget = (value: unknown, headers = {}) => patch(at(id, "/budget"), { budget: value }, headers);
    expect(await budget(25.5, { "if-match": '"2"' })).toMatchObject({
      status: 200,
      body: { budget: "25.50", version: 3 },
    });
    const stale = await budget("30", { "if-match": '"2"' });
    expect(stale).toMatchObject({
      status: 412,
      body: { code: "PRECONDITION_FAILED", retryable: false, etag: '"3"' },
    });
    expect(await budget("30", { "if-match": "3" })).toMatchObject({ status: 412 });
    expect(await budget("25.50", { "if-match": '"3"' })).toMatchObject({ status: 200, body: { version: 3 } });
    expect(await patch(at(id, "/pause"), undefined, { "if-match": '"2"' })).toMatchObject({ status: 412 });
    expect(await budget("30", { "if-match": "*" })).toMatchObject({
      status: 200,
      body: { budget: "30.00", version: 4 },
    });
  });

  test("keeps its budget above what it has spent", async () => {
    const id = await active();
    await services.publish(collectorEvtConversion, [conversion(id, { spend: "4.00" })]);
    await eventually("spent", async () => (await metricsOf(id)).spend === "4.00");
    const refused = await patch(at(id, "/budget"), { budget: "3.99" });
    expect(refused).toMatchObject({ status: 422, body: { code: "BUDGET_BELOW_SPEND", spend: "4.00" } });
    expect(refused.body.errors[0].pointer).toBe("#/budget");
    expect(await patch(at(id, "/budget"), { budget: "4.00" })).toMatchObject({
      status: 200,
      body: { budget: "4.00" },
    });
    expect(await metricsOf(id)).toMatchObject({ spend: "4.00", remaining: "0.00" });
  });

  test("is found again under its key, byte for byte, and a change is", async () => {
    const key = { "idempotency-key": randomUUID() };
    const first = await services.request("POST", "/campaigns", order(), key);
    const again = await services.request("POST", "/campaigns", order(), key);
    expect([again.status, again.body]).toEqual([201, first.body]);
    expect(again.headers.get("idempotent-replayed")).toBe("true");
    expect(await services.request("POST", "/campaigns", order({ budget: 11 }), key)).toMatchObject({
      status: 422,
    });
    const change = { ...key, "if-match": '"1"' };
    const changed = await patch(at(first.body.id, "/budget"), { budget: 20 }, change);
    const repeated = await patch(at(first.body.id, "/budget"), { budget: 20 }, change);
    expect([repeated.status, repeated.body]).toEqual([200, changed.body]);
    expect(changed.body.version).toBe(2);
  });

  test("is listed, newest first, by pages and by state", async () => {
    const ids: string[] = [];
    for (let i = 0; i < 5; i += 1) {
      ids.push((await services.post("/campaigns", order({ name: `listed ${i}` }))).body.id);
    }
    await patch(at(ids[3] as string, "/activate"));
    const pages: string[][] = [];
    for (let cursor = ""; pages.length < 3; ) {
      const { body } = await services.get(`/campaigns?limit=2${cursor}`);
      pages.push(body.items.map(({ id }: { id: string }) => id));
      cursor = `&cursor=${body.next}`;
    }
    expect(pages.flat().slice(0, 5)).toEqual(ids.toReversed());
    const created = (await services.get("/campaigns/?state=CREATED&limit=4")).body.items;
    expect(created.map(({ id }: { id: string }) => id)).toEqual([ids[4], ids[2], ids[1], ids[0]]);
    expect((await services.get("/campaigns?cursor=abc")).status).toBe(400);
  });

  test("completes when its end comes, by the database's clock, and is announced once", async () => {
    const updated = await services.watch(campaignsEvtUpdated);
    const id = await active({ ends_at: inMs(4_000) });
    await eventually("over", async () => (await stateOf(id)) === "COMPLETED");
    expect(await patch(at(id, "/pause"))).toMatchObject({
      status: 409,
      body: { from: "COMPLETED", to: "PAUSED" },
    });
    const told = async () => (await updated()).filter(({ body }) => body.campaign_id === id);
    const [event] = await eventually("announced", async () => (await told()).length > 0 && told());
    expect(event?.body).toMatchObject({ state: "COMPLETED", version: 3 });
    const found = await services.get(at(id));
    expect(found.body).toMatchObject({ state: "COMPLETED", version: 3 });
    await books();
    expect(await told()).toHaveLength(1);
  });
});

describe("bad input is refused with a problem, and makes nothing", () => {
  test.each<readonly [object, number, string]>([
    [{ budget: 0 }, 422, "AMOUNT_INVALID"],
    [{ budget: "-1" }, 422, "AMOUNT_INVALID"],
    [{ budget: "1.001" }, 422, "AMOUNT_INVALID"],
    [{ budget: "99999999999999999999" }, 422, "AMOUNT_INVALID"],
    [{ budget: null }, 400, "REQUEST_INVALID"],
    [{ currency: "usd" }, 400, "REQUEST_INVALID"],
    [{ currency: "XXX" }, 422, "CURRENCY_UNKNOWN"],
    [{ name: "" }, 400, "REQUEST_INVALID"],
    [{ name: "x".repeat(201) }, 400, "REQUEST_INVALID"],
    [{ name: "a\u0000b" }, 400, "REQUEST_INVALID"],
    [{ starts_at: "tomorrow" }, 400, "REQUEST_INVALID"],
    [{ ends_at: "2020-01-01T00:00:00Z" }, 422, "CAMPAIGN_PERIOD"],
    [{ starts_at: "2099-01-02T00:00:00Z", ends_at: "2099-01-01T00:00:00Z" }, 422, "CAMPAIGN_PERIOD"],
    [{ more: 1 }, 400, "REQUEST_INVALID"],
  ])("%j is %i %s", async (more, status, code) => {
    const count = "SELECT count(*)::integer AS n FROM campaigns.campaign";
    const before = await services.owner(count);
    expect(await services.post("/campaigns", order(more))).toMatchObject({ status, body: { code } });
    expect(await services.owner(count)).toEqual(before);
  });

  test("a campaign that is none is 404, an id that is none 400", async () => {
    const nobody = randomUUID();
    for (const [method, rest] of [
      ["GET", ""],
      ["GET", "/metrics"],
      ["PATCH", "/activate"],
    ]) {
      const path = at(nobody, rest);
      expect(await services.request(method as string, path)).toMatchObject({
        status: 404,
        body: { code: "CAMPAIGN_NOT_FOUND" },
      });
      expect((await services.request(method as string, path.replace(nobody, "1"))).status).toBe(400);
    }
  });
});

describe("50 callers at once", () => {
  test("change a campaign one after the other: each change has a version of its own", async () => {
    const id = await active({ budget: "1000.00" });
    const budgets = Array.from({ length: 50 }, (_, i) => patch(at(id, "/budget"), { budget: 2_000 + i }));
    const moves = Array.from({ length: 50 }, (_, i) => patch(at(id, i % 2 === 0 ? "/pause" : "/activate")));
    const answers = await Promise.all([...budgets, ...moves]);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    const versions = answers.slice(0, 50).map(({ body }) => body.version);
    expect(new Set(versions).size).toBe(50);
    const [row] = await services.owner<{ changes: number; version: number }>(
      `SELECT count(*)::integer AS changes, max(version) AS version FROM campaigns.change WHERE campaign_id = $1`,
      [id],
    );
    expect(row?.changes).toBe(row?.version);
    await books();
  });

  test("who saw the same version: one of them changes it", async () => {
    const id = await active();
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        patch(at(id, "/budget"), { budget: 20 + i }, { "if-match": '"2"' }),
      ),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 412)).toHaveLength(49);
  });

  test("with one key make one campaign", async () => {
    const headers = { "idempotency-key": randomUUID() };
    const answers = await Promise.all(
      Array.from({ length: 50 }, () =>
        services.request("POST", "/campaigns", order({ name: "once" }), headers),
      ),
    );
    expect(new Set(answers.map(({ status, body }) => `${status} ${body.id}`)).size).toBe(1);
    expect(answers[0]?.status).toBe(201);
  });

  test("lower the budget while conversions spend it: it is never passed, nor below what is spent", async () => {
    const id = await active({ budget: "100.00" });
    const spending = services.publish(
      collectorEvtConversion,
      Array.from({ length: 200 }, () => conversion(id)),
    );
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) => patch(at(id, "/budget"), { budget: 99 - i })),
    );
    await spending;
    expect(answers.every(({ status }) => status === 200 || status === 422)).toBe(true);
    await eventually("all decided", async () => {
      const [row] = await services.owner<{ n: number }>(
        "SELECT count(*)::integer AS n FROM campaigns.spend WHERE campaign_id = $1",
        [id],
      );
      return row?.n === 200;
    });
    const { budget } = (await services.get(at(id))).body;
    const { spend, conversions } = await countsOf(id);
    expect(Number(spend)).toBeLessThanOrEqual(Number(budget));
    expect(Number(spend)).toBe(conversions);
    await books();
  });
});

describe("a conversion", () => {
  test("is decided once, in order of arrival, and answered however often it comes", async () => {
    const decided = await services.watch(campaignsSpendDecided);
    const [id, paused, late] = [await active(), await active(), await active({ starts_at: inMs(3_600_000) })];
    await patch(at(paused, "/pause"));
    const asked = [
      conversion(id, { spend: "6.00" }),
      conversion(id, { spend: "5.00" }),
      conversion(id, { spend: "4" }),
      conversion(id, { spend: "0.01" }),
      conversion(id, { moneda: "EUR" }),
      conversion(paused),
      conversion(late),
    ];
    await services.publish(collectorEvtConversion, [...asked, asked[0] as (typeof asked)[0]]);
    await eventually("all answered", async () => (await decided()).length === 8);
    await services.publish(collectorEvtConversion, asked);
    const all = await eventually("all answered again", async () => {
      const answers = await decided();
      return answers.length === 15 && answers;
    });
    // Who acts on it asks whether the database still remembers it.
    const [row] = await services.owner<{ timeline: string }>("SELECT ops.timeline() AS timeline");
    const timelines = all.map(({ message }) => message.properties.headers?.["x-timeline"]);
    expect(new Set(timelines)).toEqual(new Set([row?.timeline]));
    const of = (i: number) =>
      new Set(
        all
          .filter(({ body }) => body.event_id === asked[i]?.event_id)
          .map(({ body }) => `${body.source} ${body.outcome} ${body.spend}`),
      );
    expect(asked.map((_, i) => [...of(i)].join())).toEqual([
      "acme spent 6.00",
      "acme over_budget 5.00",
      "acme spent 4.00",
      "acme over_budget 0.01",
      "acme wrong_currency 1.00",
      "acme not_active 1.00",
      "acme not_active 1.00",
    ]);
    const repeats = all.filter(({ message }) => message.properties.headers?.["x-repeat"] === true);
    expect(repeats).toHaveLength(8);
    expect(await countsOf(id)).toMatchObject({ conversions: 2, spend: "10.00", remaining: "0.00" });
    expect(await countsOf(paused)).toMatchObject({ conversions: 0, spend: "0.00" });
    await books();
  });

  test("of another amount or campaign under a known name is recorded, and answered with what was decided", async () => {
    const decided = await services.watch(campaignsSpendDecided);
    const [id, other] = [await active(), await active()];
    const first = conversion(id);
    await services.publish(collectorEvtConversion, [first]);
    await eventually("decided", async () => (await decided()).length === 1);
    await services.publish(collectorEvtConversion, [
      { ...first, spend: "2.00" },
      { ...first, campaign_id: other },
    ]);
    const all = await eventually("answered", async () => {
      const answers = await decided();
      return answers.length === 3 && answers;
    });
    expect(new Set(all.map(({ body }) => `${body.campaign_id} ${body.outcome} ${body.spend}`))).toEqual(
      new Set([`${id} spent 1.00`]),
    );
    const rows = await services.owner<{ reason: string }>(
      "SELECT reason FROM campaigns.illegal_transition WHERE subject_id = $1 ORDER BY reason",
      [id],
    );
    expect(rows.map(({ reason }) => reason)).toEqual([
      "another amount than decided",
      "another campaign than decided",
    ]);
    expect(await countsOf(other)).toMatchObject({ spend: "0.00" });
  });

  test("of a campaign that is not there is retried, then a dead letter with its reason; its neighbours are decided", async () => {
    const decided = await services.watch(campaignsSpendDecided);
    const id = await active();
    const nobody = randomUUID();
    const dead: Awaited<ReturnType<typeof drain>>[number][] = [];
    await services.publish(collectorEvtConversion, [
      conversion(nobody),
      conversion(id),
      conversion(id, { spend: "1.001" }),
    ]);
    await eventually("neighbour decided", async () => (await decided()).length === 1);
    const letters = await eventually(
      "dead",
      async () => {
        dead.push(...(await drain(services.settings, "campaigns.dlq")));
        return dead.length === 2 && dead;
      },
      { withinMs: 40_000, everyMs: 500 },
    );
    const told = letters.map(({ properties }) => JSON.stringify(properties.headers));
    expect(told.filter((headers) => headers.includes("AMOUNT_INVALID"))).toHaveLength(1);
    expect(told.filter((headers) => headers.includes(`there is no campaign ${nobody}`))).toHaveLength(1);
  });
});
test("who holds a campaign keeps its own events waiting, and no others; they come to it in the end", async () => {
  const decided = await services.watch(campaignsSpendDecided);
  const [held, free] = [await active(), await active()];
  const [locked, released] = [deferred<void>(), deferred<void>()];
  const holding = withPool({ role: "admin", database: services.settings.POSTGRES_DB }, async (pool) => {
    const client = await pool.connect();
    await client.query("BEGIN");
    await client.query("SELECT FROM campaigns.campaign WHERE campaign_id = $1 FOR UPDATE", [held]);
    locked.resolve();
    await released.promise;
    client.release(true);
  });
  onTestFinished(() => {
    released.resolve();
    return holding;
  });
  await locked.promise;
  await services.publish(collectorEvtConversion, [conversion(held), conversion(free)]);
  await services.publish(collectorEvtClick, [seen(held), seen(free)]);
  await eventually("the others", async () => {
    const { clicks, conversions } = await metricsOf(free);
    return clicks === 1 && conversions === 1;
  });
  expect(await countsOf(held)).toMatchObject({ clicks: 0, conversions: 0 });
  released.resolve();
  await holding;
  await eventually(
    "its own",
    async () => {
      const { clicks, conversions } = await metricsOf(held);
      return clicks === 1 && conversions === 1;
    },
    { withinMs: 30_000 },
  );
  await eventually("answered", async () => (await decided()).length === 2);
});

describe("clicks and impressions", () => {
  test("are counted once each, by their partner's name, and announced with what they come to", async () => {
    const updated = await services.watch(campaignsEvtUpdated);
    const id = await active();
    const clicks = Array.from({ length: 300 }, () => seen(id));
    const impressions = Array.from({ length: 700 }, () => seen(id));
    const shuffled = <T>(list: readonly T[]) => [...list].sort(() => Math.random() - 0.5);
    await Promise.all([
      services.publish(collectorEvtClick, shuffled([...clicks, ...clicks])),
      services.publish(collectorEvtImpression, shuffled([...impressions, ...impressions])),
    ]);
    const counted = { impressions: 700, clicks: 300 };
    await eventually("counted", async () => {
      const { impressions: i, clicks: c } = await countsOf(id);
      return i >= 700 && c >= 300;
    });
    await services.publish(collectorEvtClick, clicks.slice(0, 10));
    const events = await eventually("announced", async () => {
      const all = (await updated()).flatMap(({ body }) => (body.campaign_id === id ? body : []));
      return all.some(({ impressions: i, clicks: c }) => i === 700 && c === 300) && all;
    });
    expect(await countsOf(id)).toMatchObject(counted);
    // Versions have no gap, and no two events the same: 1 and 2 are its making and its activation.
    expect(events.map(({ version }) => version).sort((a, b) => a - b)).toEqual(events.map((_, i) => i + 3));
    // Fewer than there are batches of them.
    expect(events.length).toBeLessThan(20);
    expect((await services.get(at(id))).headers.get("etag")).toBe('"2"');
    await books();
  });

  test("count whatever the state of their campaign", async () => {
    const { id } = (await services.post("/campaigns", order())).body;
    await patch(at(id, "/complete"));
    await services.publish(collectorEvtClick, [seen(id)]);
    await eventually("counted", async () => (await metricsOf(id)).clicks === 1);
  });

  test("are forgotten after a week, and the audit bears it", async () => {
    const id = await active();
    await services.publish(collectorEvtClick, [seen(id), seen(id)]);
    await eventually("counted", async () => (await metricsOf(id)).clicks === 2);
    await services.owner(`
      BEGIN;
      ALTER TABLE campaigns.sighting DISABLE TRIGGER USER;
      ALTER TABLE campaigns.campaign DISABLE TRIGGER USER;
      UPDATE campaigns.sighting SET seen_at = now() - interval '8 days' WHERE campaign_id = '${id}';
      UPDATE campaigns.campaign SET created_at = now() - interval '9 days' WHERE campaign_id = '${id}';
      ALTER TABLE campaigns.sighting ENABLE TRIGGER USER;
      ALTER TABLE campaigns.campaign ENABLE TRIGGER USER;
      COMMIT`);
    const pool = createServicePool(services.settings, {
      role: "payments_campaigns",
      schema: "campaigns",
      max: 1,
      applicationName: "purge",
    });
    try {
      const sightings = CAMPAIGNS_RETENTION.filter(isPurged).find(
        ({ table }) => table === "campaigns.sighting",
      );
      expect(await purge(pool, sightings as PurgedTable)).toBe(2);
    } finally {
      await pool.end();
    }
    await books();
  });
});
