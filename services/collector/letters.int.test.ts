import { afterAll, beforeAll, expect, test } from "vitest";
import { newId } from "../../lib/domain/ids.js";
import { eventually } from "../../tests/harness/eventually.js";
import { ServiceLetters } from "../../tests/harness/letters.js";
import { Services } from "../../tests/harness/service.js";
import { campaignsSpendDecided } from "../contracts/campaigns_spend_decided.js";
import { paymentsEvtCompleted, paymentsEvtFailed } from "../contracts/payments_evt.js";

const CAMPAIGN = newId();

let services: Services;
let letters: ServiceLetters;
beforeAll(async () => {
  services = await Services.create({}, "collector");
  await services.start();
  letters = new ServiceLetters(services.settings, "collector-service", "collector.dlq");
});
afterAll(() => services?.close());

/** Told and on its way: what is said of it can be noted. */
async function tell(type: "conversion" | "payment", data: object): Promise<string> {
  const event_id = newId();
  const event = { source: "ads", event_id, type, occurred_at: "2026-11-26T10:00:00Z", data };
  expect((await services.post("/event-collector/events", event)).status).toBe(202);
  await eventually("sent", async () => {
    const { body } = await services.get(`/event-collector/events/ads/${event_id}`);
    return body.deliveries.some(({ state }: { state: string }) => state === "sent");
  });
  return event_id;
}

const decided = (event_id: string, outcome: "spent" | "over_budget", campaign_id = CAMPAIGN) =>
  ({ source: "ads", event_id, campaign_id, outcome, spend: "2.50" }) as const;

const noted = async () => {
  const [row] = await services.owner<{ outcomes: string[]; illegal: number }>(
    `SELECT ARRAY(SELECT outcome FROM collector.delivery WHERE outcome IS NOT NULL ORDER BY 1) AS outcomes,
            (SELECT count(*)::int FROM collector.illegal_transition) AS illegal`,
  );
  return row;
};

test("a dry run tells what each letter would come to, and notes nothing", async () => {
  const earns = { id_afiliado: "ana", spend: "2.50", commission: "0.50", moneda: "EUR" };
  const conversion = await tell("conversion", { campaign_id: CAMPAIGN, ...earns });
  const referencia_pago = newId();
  const paid = { id_afiliado: "ana", monto: "10.00", moneda: "EUR", referencia_pago } as const;
  await tell("payment", paid);

  const ofSpend = (...args: Parameters<typeof decided>) =>
    letters.bury(campaignsSpendDecided, decided(...args));
  const [first, twin, rival, elsewhere, unknown] = [
    await ofSpend(conversion, "over_budget"),
    await ofSpend(conversion, "over_budget"),
    await ofSpend(conversion, "spent"),
    await ofSpend(conversion, "over_budget", newId()),
    await ofSpend("nobody told it", "spent"),
  ];
  const pago = { ...paid, id_pago: newId(), version: 3, occurred_at: new Date().toISOString() };
  const [done, notOurs] = [
    await letters.bury(paymentsEvtCompleted, { ...pago, estado: "EXITOSO" }),
    await letters.bury(paymentsEvtFailed, { ...pago, referencia_pago: newId(), estado: "FALLIDO" }),
  ];

  const before = await noted();
  expect(await letters.forecasts()).toEqual({
    [first]: ["would apply: over_budget"],
    [twin]: ["already applied: over_budget"],
    [rival]: ["illegal: spent, after all"],
    [elsewhere]: ["illegal: a spend of another campaign"],
    [unknown]: [expect.stringMatching(/^would fail: EVENT_UNKNOWN: /)],
    [done]: ["would apply: completed"],
    [notOurs]: ["already applied: nobody asked for it here"],
  });
  expect(await noted()).toEqual(before);

  expect(await letters.dlq("replay", "--all")).toMatchObject({ done: 7 });
  await eventually("all is noted", async () => (await noted())?.illegal === 2);
  expect((await noted())?.outcomes).toEqual(["completed", "over_budget", "over_budget"]);
  // What contradicts the note now is told so.
  const late = await letters.bury(paymentsEvtFailed, { ...pago, estado: "FALLIDO", version: 4 });
  expect((await letters.forecasts())[late]).toEqual(["illegal: failed of version 4"]);
});
