import { expect, it } from "vitest";
import { TOLD } from "./fact.js";

const factOf = (name: string, body: object) =>
  TOLD.find(({ event }) => event.name === name)?.factOf({ body, messageId: "m", traceId: "t", attempt: 1 });
const pago = {
  id_pago: "0190f7a0-0000-7000-8000-000000000001",
  id_afiliado: "a",
  monto: "10.00",
  moneda: "USD",
  referencia_pago: "r",
  estado: "PENDIENTE",
  version: 1,
  occurred_at: "2026-11-26T10:00:00Z",
};
const campaign = {
  campaign_id: "0190f7a0-0000-7000-8000-000000000002",
  name: "c",
  state: "CREATED",
  budget: "100",
  spend: "0",
  currency: "JPY",
  version: 3,
};

it("says what an event is about, and the digits of its currency", () => {
  expect(factOf("payments.evt.pending", pago)).toEqual({
    kind: "payout",
    aggregateId: pago.id_pago,
    version: 1,
    event: "payments.evt.pending",
    minorDigits: 2,
    body: pago,
    messageId: "m",
  });
  expect(factOf("campaigns.evt.updated", campaign)).toMatchObject({
    kind: "campaign",
    aggregateId: campaign.campaign_id,
    version: 3,
    minorDigits: 0,
  });
});

it.each([
  ["payments.evt.completed", { ...pago, monto: "0" }],
  ["payments.evt.completed", { ...pago, monto: "1.001" }],
  ["payments.evt.completed", { ...pago, monto: "9".repeat(30) }],
  ["campaigns.evt.created", { ...campaign, budget: "-1" }],
  ["campaigns.evt.created", { ...campaign, spend: "0.5" }],
  ["campaigns.evt.created", { ...campaign, currency: "XXX" }],
])("%s with an amount that is none is refused: %j", (name, body) => {
  expect(() => factOf(name, body)).toThrow(/amount|currency/);
});
