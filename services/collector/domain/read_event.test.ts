import { describe, expect, it } from "vitest";
import { canonicalJson } from "../../../lib/http/fingerprint.js";
import { MAX_EVENT_BYTES, readEvent } from "./read_event.js";

const CAMPAIGN = "0198c2a4-7d00-7000-8000-000000000001";
const click = (more: object = {}) => ({
  source: "ads-1",
  event_id: "e1",
  type: "click",
  occurred_at: "2026-11-26T10:00:00Z",
  data: { campaign_id: CAMPAIGN },
  ...more,
});
const conversion = (data: object = {}, more: object = {}) =>
  click({
    type: "conversion",
    data: {
      campaign_id: CAMPAIGN,
      id_afiliado: "ana",
      spend: "2.50",
      commission: 0.5,
      moneda: "EUR",
      ...data,
    },
    ...more,
  });
const payment = (data: object = {}) =>
  click({
    type: "payment",
    data: { id_afiliado: "ana", monto: 10, moneda: "COP", referencia_pago: "r-1", ...data },
  });

const read = (event: unknown, signedBy?: string) =>
  readEvent(Buffer.from(typeof event === "string" ? event : JSON.stringify(event)), signedBy);
/** The event as it is kept. */
const kept = (event: unknown) => {
  const result = read(event);
  return result.kind === "read" ? canonicalJson(result.event) : result;
};

describe("an event that is taken", () => {
  it("is normalised: the same content is the same, however it was written", () => {
    const one = conversion(
      {},
      { session_id: " S\u00e9ssion  one ", occurred_at: "2026-11-26T12:00:00.000+02:00" },
    );
    const other = `{"data":{"moneda":"EUR","commission":"0.50","spend":2.5,"id_afiliado":"ana","campaign_id":"${CAMPAIGN.toUpperCase()}"},
      "session_id":"Se\u0301ssion one","occurred_at":"2026-11-26T10:00:00Z","type":"conversion","event_id":"e1","source":"ads-1"}`;
    expect(kept(other)).toBe(kept(one));
    expect(JSON.parse(kept(one) as string)).toEqual({
      source: "ads-1",
      event_id: "e1",
      type: "conversion",
      occurred_at: "2026-11-26T10:00:00.000Z",
      session_id: "S\u00e9ssion one",
      data: { campaign_id: CAMPAIGN, id_afiliado: "ana", spend: "2.50", commission: "0.50", moneda: "EUR" },
    });
  });

  it.each([
    ["another amount", conversion({ spend: "2.51" })],
    ["another afiliado", conversion({ id_afiliado: "Ana" })],
    ["another time", conversion({}, { occurred_at: "2026-11-26T10:00:00.001Z" })],
    ["a session", conversion({}, { session_id: "s" })],
  ])("is another one with %s", (_, other) => {
    expect(kept(other)).not.toBe(kept(conversion()));
  });

  it("has the digits of its currency, all of them", () => {
    expect(JSON.parse(kept(payment({ monto: 10 })) as string).data.monto).toBe("10.00");
  });
});

describe("an event that is refused", () => {
  const long = "x".repeat(240);
  it.each([
    ["malformed", null, "no JSON", "{nope"],
    ["malformed", null, "a name twice", '{"event_id":"e1","event_id":"e2"}'],
    ["malformed", null, "__proto__", '{"__proto__":{"source":"ads-1"}}'],
    ["malformed", null, "too deep", `${"[".repeat(40)}${"]".repeat(40)}`],
    ["too_large", null, "too large", `{"event_id":"${"x".repeat(MAX_EVENT_BYTES)}"}`],
    ["invalid", null, "null", "null"],
    ["invalid", null, "a number", "7"],
    ["invalid", "e1", "an unknown type", click({ type: "view" })],
    ["invalid", "e1", "an unknown field", click({ more: 1 })],
    ["invalid", "e1", "an unknown field of its data", click({ data: { campaign_id: CAMPAIGN, price: 1 } })],
    ["invalid", "e1", "no source", click({ source: undefined })],
    ["invalid", "e1", "a source of other letters", click({ source: "Ads" })],
    ["invalid", null, "no id", click({ event_id: undefined })],
    ["invalid", null, "an empty id", click({ event_id: "" })],
    ["invalid", null, "a huge id", click({ event_id: "x".repeat(256) })],
    ["invalid", null, "an id with a control character", click({ event_id: "a\u0000b" })],
    ["invalid", "e1", "a day only", click({ occurred_at: "2026-11-26" })],
    ["invalid", "e1", "a day that is none", click({ occurred_at: "2026-02-30T00:00:00Z" })],
    ["invalid", "e1", "a time without a zone", click({ occurred_at: "2026-11-26T10:00:00" })],
    ["invalid", "e1", "a year before computers", click({ occurred_at: "0001-01-01T00:00:00Z" })],
    ["invalid", "e1", "a campaign that is no UUID", click({ data: { campaign_id: "c1" } })],
    ["invalid", "e1", "an empty session", click({ session_id: " " })],
    ["invalid", "e1", "an unknown currency", payment({ moneda: "GBP" })],
    ["invalid", "e1", "a currency in lower case", payment({ moneda: "usd" })],
    ["invalid", "e1", "too many digits", payment({ monto: "1.001" })],
    ["invalid", "e1", "nothing", payment({ monto: "0.00" })],
    ["invalid", "e1", "less than nothing", payment({ monto: -1 })],
    ["invalid", "e1", "an exponent", payment({ monto: "1e3" })],
    ["invalid", "e1", "a comma", payment({ monto: "10,00" })],
    ["invalid", "e1", "beyond a bigint", payment({ monto: "100000000000000000.00" })],
    ["invalid", "e1", "no number", payment({ monto: "NaN" })],
    ["invalid", "e1", "a spend of nothing", conversion({ spend: 0 })],
    ["invalid", "e1", "a commission's reference", payment({ referencia_pago: "conversion:ads-1:e9" })],
    ["invalid", long, "an id too long for its commission", conversion({}, { event_id: long })],
    [
      "card_data",
      null,
      "a card number",
      click({ event_id: "e1", data: { campaign_id: CAMPAIGN, note: "4111 1111 1111 1111" } }),
    ],
    ["card_data", null, "a CVV", payment({ cvv: "123" })],
  ])("is %s: %s, with %s", (reason, eventId, _, event) => {
    expect(read(event)).toEqual({ kind: "refused", eventId, reason, detail: expect.any(String) });
  });

  it("is another source's than the one that signed", () => {
    expect(read(click(), "ads-1").kind).toBe("read");
    expect(read(click(), "ads-2")).toMatchObject({ reason: "another_source", eventId: "e1" });
  });

  it("is told where, and nothing that was sent is repeated", () => {
    const secret = "tr\u00e8s-secret";
    expect(read(payment({ monto: secret }))).toMatchObject({
      detail: expect.stringMatching(/^#\/data\/monto (?!.*secret)/),
    });
    expect(read(click({ data: { campaign_id: CAMPAIGN, note: "4111111111111111" } }))).toMatchObject({
      detail: expect.not.stringContaining("4111"),
    });
  });
});
