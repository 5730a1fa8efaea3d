import { afterEach, beforeEach, expect, test } from "vitest";
import { Driver } from "./chaos/services/drive.js";
import { loadOf } from "./chaos/services/load.js";
import { compare, covered, readBooks } from "./chaos/services/verdict.js";
import { eventually } from "./harness/eventually.js";
import { type Gateway, openGateway } from "./harness/haproxy.js";
import { Platform } from "./harness/platform.js";
import { Serving } from "./harness/serving.js";
import { asOwner, booksAgree, freeClaims } from "./harness/settled.js";

const SERVICES = ["payments", "fraud", "wallet", "metrics"] as const;
const BOTH_DOORS = "both-doors";
const PAYMENTS_PER_S = 40;
/** As `payments serve` waits for an answer of fraud or wallet; none is lost here, so none has to be asked for again. */
const GIVE_UP_S = 900;

let platform: Platform;
let fleet: Record<(typeof SERVICES)[number], readonly [Serving, Serving]>;
let gateway: Gateway;

beforeEach(async () => {
  platform = await Platform.create({ RABBITMQ_HEARTBEAT_S: "2" });
  const pairs = await Promise.all(
    SERVICES.map(async (name) => {
      const pair = [
        await Serving.start(platform.settings, name),
        await Serving.start(platform.settings, name),
      ];
      return [name, pair] as const;
    }),
  );
  fleet = Object.fromEntries(pairs) as unknown as typeof fleet;
  await Promise.all(all().map((serving) => serving.ready()));
  gateway = await openGateway({
    PAYMENTS_1: fleet.payments[0].port,
    PAYMENTS_2: fleet.payments[1].port,
    WALLET_1: fleet.wallet[0].port,
    WALLET_2: fleet.wallet[1].port,
    METRICS_1: fleet.metrics[0].port,
    METRICS_2: fleet.metrics[1].port,
  });
});
afterEach(async () => {
  await gateway?.close();
  const statuses = await Promise.all(all().map((serving) => serving.stop()));
  await platform?.close();
  expect(statuses).toEqual(all().map(() => 0));
});

const all = () => Object.values(fleet ?? {}).flat();

test("two processes of each service behind HAProxy answer as one process does, and one's death loses and doubles nothing", async () => {
  await expectSameAnswers();
  const load = loadOf({ seed: 11, stuck: false });
  const driver = new Driver(load, { payments: [gateway.url], wallets: [gateway.url] });
  await driver.openWallets();
  const over = new AbortController();
  const paying = driver.pay(PAYMENTS_PER_S, over.signal);
  await eventually("payments come", () => driver.told.length >= PAYMENTS_PER_S);
  // One of each service at once: the other one is there, for as long as the new one takes to start.
  const dying = SERVICES.map((name) => fleet[name][name === "metrics" ? 1 : 0]);
  await Promise.all(dying.map((serving) => serving.replace()));
  await Promise.all(dying.map((serving) => serving.ready()));
  const since = driver.told.length;
  await eventually("payments come still", () => driver.told.length >= since + PAYMENTS_PER_S);
  over.abort();
  await paying;
  await freeClaims(platform);
  await driver.settled(30_000);
  expect(driver.complaints).toEqual([]);
  await eventually("the books agree", () => booksAgree(platform), { withinMs: 60_000, everyMs: 250 });

  await asOwner(platform, async (owner) => {
    const books = await readBooks(owner);
    const ours = books.payments.filter(({ customerId }) => customerId !== BOTH_DOORS);
    const checks = compare(driver.told, load.customers, { ...books, payments: ours }, GIVE_UP_S);
    checks.push(covered(driver.told, load.customers, books));
    expect(checks.flatMap(({ complaints }) => complaints)).toEqual([]);
  });
  // The one that is scraped was there all the time; an outbox may have said more than once what a dead process had said.
  const counters = await (await fetch(`${gateway.url}/metrics`)).text();
  const created = Number(/^payment_created_total (\d+)$/m.exec(counters)?.[1]);
  expect(created).toBeGreaterThanOrEqual(driver.told.length);
});

/** Every read is answered alike by both doors, to the byte; a POST is repeated at the other door. */
async function expectSameAnswers(): Promise<void> {
  const whole = await Serving.start(platform.settings);
  await whole.ready();
  try {
    const order = { amount: 100.5, currency: "USD", method: "credit_card", customer_id: BOTH_DOORS };
    const key = { "idempotency-key": BOTH_DOORS };
    const [first, second] = [await post(gateway.url, order, key), await post(whole.url, order, key)];
    expect(second).toEqual(first);
    const id = JSON.parse(first.text).id as string;
    await eventually(
      "decided",
      async () => JSON.parse((await get(whole.url, `/payments/${id}?wait_s=5`)).text).status !== "PENDING",
    );
    const paths = [
      `/payments/${id}`,
      `/payments/${id}/timeline`,
      `/payments?customer_id=${BOTH_DOORS}`,
      "/payments?customer_id=",
      "/payments/1",
      `/wallets?user_id=${BOTH_DOORS}`,
      `/wallets/${id}`,
      "/openapi.json",
      "/docs",
      "/nowhere",
    ];
    for (const path of paths) {
      expect(await get(gateway.url, path)).toEqual(await get(whole.url, path));
    }
  } finally {
    expect(await whole.stop()).toBe(0);
  }
}

/** Nothing of it is of this one request alone. */
const timeless = (text: string) => text.replaceAll(/"trace_id":"[0-9a-f]{32}"/g, '"trace_id":""');

async function get(url: string, path: string) {
  const answer = await fetch(`${url}${path}`);
  return {
    path,
    status: answer.status,
    type: answer.headers.get("content-type"),
    text: timeless(await answer.text()),
  };
}

async function post(url: string, body: object, headers: Record<string, string>) {
  const answer = await fetch(`${url}/payments`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  return { status: answer.status, location: answer.headers.get("location"), text: await answer.text() };
}
