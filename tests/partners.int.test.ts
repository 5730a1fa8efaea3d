import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { json, text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { newId } from "../lib/domain/ids.js";
import { campaignsSpendDecided } from "../services/contracts/campaigns_spend_decided.js";
import { collectorEvtConversion } from "../services/contracts/collector_evt.js";
import { paymentsEvtCompleted } from "../services/contracts/payments_evt.js";
import { payoutsPayoutRequested } from "../services/contracts/payouts_payout_requested.js";
import { eventually } from "./harness/eventually.js";
import { payments } from "./harness/process.js";
import { Services } from "./harness/service.js";

const SECRET = `whsec_${"A".repeat(32)}`;

let services: Services;
let front: Server;
let others: Others;

/** The collector as it runs, and campaigns and payouts as the test plays them: by HTTP and events alone, as all of them are met. */
beforeAll(async () => {
  services = await Services.create({ COLLECTOR_SECRETS: `one=${SECRET},two=${SECRET}` }, "collector");
  await services.start();
  others = new Others(
    await services.watch(collectorEvtConversion),
    await services.watch(payoutsPayoutRequested),
  );
  front = createServer(async (request, response) => {
    const { method = "", url = "", headers } = request;
    if (url.startsWith("/campaigns")) {
      const id = url.split("/")[2] ?? newId();
      others.campaign(id, method === "POST" ? ((await json(request)) as Campaign) : undefined);
      response.writeHead(method === "POST" ? 201 : 200).end(JSON.stringify({ id }));
      return;
    }
    const answer = await fetch(`${services.url}${url}`, {
      method,
      headers: Object.fromEntries(
        Object.entries(headers).filter(([name]) => /^(webhook-|content-type)/.test(name)),
      ) as Record<string, string>,
      body: await text(request),
    });
    const body = Buffer.from(await answer.arrayBuffer());
    response.writeHead(answer.status, { "content-length": body.length }).end(body);
  });
  await new Promise<void>((resolve) => front.listen(0, "127.0.0.1", resolve));
});
afterAll(async () => {
  front?.close();
  await services?.close();
});

interface Campaign {
  readonly budget: string;
  readonly currency: string;
}

type Watched<Body> = () => Promise<readonly { readonly body: Body }[]>;
type Conversion = ReturnType<typeof collectorEvtConversion.schema.parse>;
type Request = ReturnType<typeof payoutsPayoutRequested.schema.parse>;

/** What campaigns and payouts do, once an event. */
class Others {
  readonly #conversions: Watched<Conversion>;
  readonly #requests: Watched<Request>;
  readonly #campaigns = new Map<string, Campaign & { active: boolean; left: number }>();
  readonly #decided = new Set<string>();
  readonly #paid = new Set<string>();

  constructor(conversions: Watched<Conversion>, requests: Watched<Request>) {
    this.#conversions = conversions;
    this.#requests = requests;
  }

  /** Makes one, or activates it. */
  campaign(id: string, made: Campaign | undefined): void {
    const before = this.#campaigns.get(id);
    if (made !== undefined) {
      this.#campaigns.set(id, { ...made, active: false, left: Math.round(Number(made.budget) * 100) });
    } else if (before !== undefined) {
      before.active = true;
    }
  }

  /** @returns whether there was anything to do */
  async answer(): Promise<boolean> {
    const conversions = (await this.#conversions()).filter(({ body }) => !this.#decided.has(body.event_id));
    const requests = (await this.#requests()).filter(({ body }) => !this.#paid.has(body.referencia_pago));
    for (const { body } of conversions) {
      this.#decided.add(body.event_id);
    }
    for (const { body } of requests) {
      this.#paid.add(body.referencia_pago);
    }
    await services.publish(
      campaignsSpendDecided,
      conversions.map(({ body }) => {
        const { source, event_id, campaign_id, spend } = body;
        return { source, event_id, campaign_id, spend, outcome: this.#outcomeOf(body) };
      }),
    );
    await services.publish(
      paymentsEvtCompleted,
      requests.map(({ body }) => ({
        ...{ ...body, id_pago: newId(), estado: "EXITOSO" as const, version: 3 },
        occurred_at: new Date().toISOString(),
      })),
    );
    return conversions.length + requests.length > 0;
  }

  #outcomeOf({ campaign_id, moneda, spend }: Conversion) {
    const campaign = this.#campaigns.get(campaign_id);
    const minor = Math.round(Number(spend) * 100);
    if (campaign?.active !== true) {
      return "not_active" as const;
    }
    if (campaign.currency !== moneda) {
      return "wrong_currency" as const;
    }
    if (campaign.left < minor) {
      return "over_budget" as const;
    }
    campaign.left -= minor;
    return "spent" as const;
  }
}

async function settled(): Promise<void> {
  await eventually(
    "all is settled",
    async () => {
      const busy = await others.answer();
      const [row] = await services.owner<{ open: bigint }>(
        `SELECT (SELECT count(*) FROM collector.outbox)
              + (SELECT count(*) FROM collector.delivery WHERE awaited AND (outcome IS NULL OR outcome = 'pending')) AS open`,
      );
      return !busy && Number(row?.open) === 0;
    },
    { withinMs: 60_000 },
  );
}

async function traffic(...args: string[]) {
  const { port } = front.address() as AddressInfo;
  const settings = { ...services.settings, TRAFFIC_SECRETS: services.settings.COLLECTOR_SECRETS };
  const { code, stdout, stderr } = await payments(
    settings,
    ...["traffic", "--partners", "--json", "--url", `http://127.0.0.1:${port}`],
    ...args,
  );
  expect([code, stderr.includes("Error")]).toEqual([0, false]);
  return JSON.parse(stdout);
}

async function audit(id: number) {
  const { code, stdout, stderr } = await payments(
    services.settings,
    "audit",
    "--quiesced",
    "--json",
    "--traffic",
    String(id),
  );
  expect(stderr).toBe("");
  return { code, differences: JSON.parse(stdout).differences as Record<string, string>[] };
}

test("what comes of partners' events, told again and out of order, is what the answer key says", async () => {
  const result = await traffic(
    "--rate",
    "400",
    "--seconds",
    "2",
    "--refused-share",
    "0.5",
    "--duplicate-share",
    "0.3",
  );
  expect(result).toMatchObject({ sent: 800, created: 800, refused: 0, unknown: 0, failures: {} });
  await settled();
  expect(await services.owner("SELECT FROM collector.event")).toHaveLength(560);
  expect(await audit(result.traffic)).toEqual({ code: 0, differences: [] });
  // All outcomes are among them, or that proves little.
  const outcomes = await services.owner<{ outcome: string }>(
    "SELECT DISTINCT outcome FROM collector.delivery WHERE outcome IS NOT NULL ORDER BY 1",
  );
  expect(outcomes.map(({ outcome }) => outcome)).toEqual([
    "completed",
    "not_active",
    "over_budget",
    "spent",
    "wrong_currency",
  ]);
});

/** Changes of the answer key, each of another event, and what the audit names then. */
test.each([
  ["an amount", "payment", "payout = payout + 1", "event"],
  ["a spend", "conversion", "spend = spend + 1", "event"],
  ["what must come of it", "conversion", "expected = 'not_active'", "event"],
  ["an event that was refused", "click", "answer = 'refused'", "event"],
  ["an event that is not there", "impression", "event_id = 'never'", "event"],
])("%s that is another one is named", async (_, type, change, what) => {
  const [event] = await services.owner<{ trafficId: bigint; source: string; eventId: string }>(
    `UPDATE traffic.partner_event SET ${change}
     WHERE (traffic_id, source, event_id) = (
       SELECT traffic_id, source, event_id FROM traffic.partner_event
       WHERE type = '${type}' AND expected IS NOT DISTINCT FROM CASE type WHEN 'conversion' THEN 'spent' WHEN 'payment' THEN 'paid' END
       ORDER BY random() LIMIT 1)
     RETURNING traffic_id AS "trafficId", source, event_id AS "eventId"`,
  );
  const { code, differences } = await audit(Number(event?.trafficId));
  expect(code).toBe(3);
  expect(differences.map((each) => each["what"])).toContain(`${what} ${event?.source}/${event?.eventId}`);
});

test("a campaign that spent more than its budget, and one that refused what it had, are named", async () => {
  const rows = await services.owner<{ trafficId: bigint; id: string }>(
    `UPDATE traffic.campaign c SET budget = CASE WHEN budget < 1000000 THEN 100000000 ELSE 1 END
     WHERE EXISTS (SELECT FROM traffic.partner_event e WHERE e.campaign_id = c.campaign_id AND e.expected LIKE 'spent%')
     RETURNING traffic_id AS "trafficId", campaign_id AS id`,
  );
  const { differences } = await audit(Number(rows[0]?.trafficId));
  const named = new Set(differences.map((each) => each["what"]));
  expect(rows.filter(({ id }) => !named.has(`campaign ${id}`))).toEqual([]);
});

test("the same seed tells the same events in the same order", async () => {
  const run = async () => (await traffic("--rate", "100", "--seconds", "1", "--seed", "9")).traffic as number;
  const [one, other] = [await run(), await run()];
  const told = (id: number) =>
    services.owner(
      `SELECT source, split_part(event_id, ':', 3) AS n, type, id_afiliado, moneda, spend, payout, expected, told
       FROM traffic.partner_event WHERE traffic_id = ${id} ORDER BY 1, 2`,
    );
  expect(await told(other)).toEqual(await told(one));
  await settled();
  expect((await audit(one)).code).toBe(0);
});
