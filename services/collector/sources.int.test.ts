import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newId } from "../../lib/domain/ids.js";
import { signatureHeaders, webhookKey } from "../../lib/webhook/signature.js";
import { freePort } from "../../tests/harness/free_port.js";
import { payments } from "../../tests/harness/process.js";
import { Services } from "../../tests/harness/service.js";

const [ADS, NEW, SHOP] = ["A", "B", "C"].map((letter) => `whsec_${letter.repeat(32)}`) as [
  string,
  string,
  string,
];
const QUOTA = 1_000;

let services: Services;
beforeAll(async () => {
  const COLLECTOR_SECRETS = `ads=${ADS},ads=${NEW},shop=${SHOP},slow=${SHOP}`;
  services = await Services.create(
    { COLLECTOR_SECRETS, COLLECTOR_EVENTS_PER_MINUTE: String(QUOTA) },
    "collector",
  );
  await services.start();
});
afterAll(() => services?.close());

const click = (more: object = {}) => ({
  source: "ads",
  event_id: randomUUID(),
  type: "click",
  occurred_at: "2026-11-26T10:00:00Z",
  data: { campaign_id: newId() },
  ...more,
});

const send = (text: string, headers: Readonly<Record<string, string>>) =>
  services.request("POST", "/event-collector/events", text, headers);
const sign = (text: string, secret = ADS, ago = 0, webhookId: string = randomUUID()) =>
  signAt(new Date(Date.now() - 1_000 * ago), text, webhookId, secret);
const signAt = (at: Date, text: string, webhookId: string, secret = ADS) =>
  signatureHeaders({ id: webhookId, body: text, at }, [webhookKey(secret)]);
const post = (body: unknown, secret?: string) => {
  const text = JSON.stringify(body);
  return send(text, sign(text, secret));
};
const outcomes = ({ body }: { body: { results: { outcome: string; reason: string | null }[] } }) =>
  body.results.map(({ outcome, reason }) => (reason === null ? outcome : `${outcome} ${reason}`));

describe("a signed request", () => {
  test("is taken with either secret of its source", async () => {
    expect(outcomes(await post(click()))).toEqual(["accepted"]);
    expect(outcomes(await post(click(), NEW))).toEqual(["accepted"]);
  });

  test("tells events of its own source only", async () => {
    expect(outcomes(await post([click(), click({ source: "shop" }), "nope", click()]))).toEqual([
      "accepted",
      "refused another_source",
      "refused invalid",
      "accepted",
    ]);
  });

  test("is told by the first event that has a source that is known", async () => {
    expect(outcomes(await post([click({ source: "x" }), {}, click()]))).toEqual([
      "refused another_source",
      "refused invalid",
      "accepted",
    ]);
  });

  const text = JSON.stringify(click());
  test.each([
    ["without a signature", () => ({}), "SIGNATURE_MISSING"],
    [
      "with a signature that is none",
      () => ({ ...sign(text), "webhook-signature": "v1,=" }),
      "SIGNATURE_MALFORMED",
    ],
    ["that is old", () => sign(text, ADS, 301), "SIGNATURE_EXPIRED"],
    ["of a time to come", () => sign(text, ADS, -330), "SIGNATURE_EXPIRED"],
    ["signed by another source", () => sign(text, SHOP), "SIGNATURE_INVALID"],
    ["with a signature of another body", () => sign(`${text} `), "SIGNATURE_INVALID"],
  ])("%s is refused", async (_, headers, code) => {
    const answer = await send(text, headers());
    expect([answer.status, answer.body.code, answer.body.retryable]).toEqual([401, code, false]);
    expect(answer.headers.get("www-authenticate")).not.toBeNull();
  });

  test("of a source that nobody knows is refused like one with a wrong signature", async () => {
    expect(await post(click({ source: "who" }))).toMatchObject({
      status: 401,
      body: { code: "SIGNATURE_INVALID" },
    });
  });

  test("counts once: the same again is a replay, another try of it is not", async () => {
    const body = JSON.stringify([click(), click()]);
    const at = new Date(Date.now() - 10_000);
    const headers = signAt(at, body, "msg_1");
    const all = await Promise.all(Array.from({ length: 55 }, () => send(body, headers)));
    expect(all.map(({ status }) => status).sort()).toEqual([202, ...Array<number>(54).fill(401)]);
    expect(new Set(all.filter(({ status }) => status === 401).map((each) => each.body.code))).toEqual(
      new Set(["SIGNATURE_REPLAYED"]),
    );
    expect(outcomes(await send(body, sign(body, ADS, 0, "msg_1")))).toEqual(["duplicate", "duplicate"]);
    // Of another body under the same id and second nothing is taken either.
    const other = click();
    const answer = await send(JSON.stringify(other), signAt(at, JSON.stringify(other), "msg_1"));
    expect(answer.body.code).toBe("SIGNATURE_REPLAYED");
    expect(outcomes(await post(other))).toEqual(["accepted"]);
    // Also when all of it was refused.
    const bad = JSON.stringify([{ source: "ads" }]);
    const again = sign(bad);
    expect((await send(bad, again)).status).toBe(202);
    expect((await send(bad, again)).body.code).toBe("SIGNATURE_REPLAYED");
  });
});

test("where others can reach it nobody tells events unsigned: it does not start", async () => {
  const HTTP_API_KEYS = `gateway=${"0".repeat(64)}`;
  const flags = { HTTP_HOST: "0.0.0.0", HTTP_PORT: await freePort(), HTTP_API_KEYS };
  const serve = (COLLECTOR_SECRETS: string) =>
    payments({ ...services.settings, ...flags, COLLECTOR_SECRETS }, "serve", "collector");
  expect(await serve("")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("COLLECTOR_SECRETS: HTTP_HOST 0.0.0.0 is not loopback"),
  });
  expect(await serve("ads=secret")).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/COLLECTOR_SECRETS: entry 1 is not (?!.*ads=secret)/),
  });
});

describe("a source's limit", () => {
  const events = (n: number) => Array.from({ length: n }, () => click({ source: "shop" }));

  test("counts events, tells what is left, and holds for that source alone", async () => {
    const first = await post(events(600), SHOP);
    expect(first.status).toBe(202);
    expect(first.headers.get("ratelimit-policy")).toBe('"events";q=1000;w=60');
    expect(first.headers.get("ratelimit")).toMatch(/^"events";r=400;t=(60|5\d)$/);
    expect((await post(events(400), SHOP)).headers.get("ratelimit")).toMatch(/r=0/);
    const refused = await post(events(1), SHOP);
    expect([refused.status, refused.body.code, refused.body.retryable]).toEqual([429, "RATE_LIMITED", true]);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(30);
    expect(refused.headers.get("ratelimit")).toMatch(/r=0;t=/);
    expect((await post(click({ source: "slow" }), SHOP)).status).toBe(202);
  });

  test("is for requests that are signed: others use nothing of it up", async () => {
    const text = JSON.stringify(click({ source: "slow" }));
    for (let i = 0; i < 3; i++) {
      expect((await send(text, sign(text, ADS))).status).toBe(401);
    }
    const left = /r=(\d+)/.exec(
      (await post(click({ source: "slow" }), SHOP)).headers.get("ratelimit") ?? "",
    )?.[1];
    expect(Number(left)).toBeGreaterThanOrEqual(QUOTA - 3);
  });

  test("is below what a request may have: such a one is not told to try again", async () => {
    const { status, body } = await post(
      Array.from({ length: QUOTA + 1 }, () => click({ source: "slow" })),
      SHOP,
    );
    expect([status, body.code, body.retryable]).toEqual([413, "MESSAGE_TOO_LARGE", false]);
  });
});
