import { Prng } from "../../etl/world/prng.js";
import { formatAmount } from "../../lib/domain/money.js";
import { signatureHeaders } from "../../lib/webhook/signature.js";
import type { TrafficSpec } from "../spec.js";
import { type Campaign, enterPartnerEvents } from "../store/partner_event.js";
import type { Kind, Run, Source } from "./kind.js";
import { answerOf, disorder } from "./repeats.js";

/** Tells the draws of partners from those of other kinds. */
const STREAM = 0x7061_7274;

const MONEDAS = ["USD", "EUR", "COP"] as const;
type Moneda = (typeof MONEDAS)[number];

/** Who tells events where nobody signs them. */
const UNSIGNED = ["traffic-ads", "traffic-shop", "traffic-games"];
const AFILIADOS = 1_000;

/** So many in each currency have money for all that is spent; beside them one that soon has none left, and one that never begins. */
const RICH = 2;
/** More than all conversions of any run can spend. */
const RICH_UNITS = 1_000_000_000;
/** A conversion spends 10 to 30, so that it is used up after two to five. */
const TIGHT_UNITS = 50;

/** An event as a partner tells it, in minor units, which all three currencies have two digits of. */
export interface PartnerEvent {
  readonly type: "click" | "impression" | "conversion" | "payment";
  readonly afiliado: string;
  readonly campaign: number;
  readonly moneda: Moneda;
  readonly spend: number;
  readonly payout: number;
  readonly expected: "paid" | "spent" | "spent or over_budget" | "not_active" | "wrong_currency" | undefined;
}

/** Campaigns of a run, the same for each seed: of each currency the rich ones, a tight one and one that is not activated. */
const CAMPAIGNS = MONEDAS.flatMap((currency) => [
  ...Array.from({ length: RICH }, () => ({ currency, units: RICH_UNITS, active: true })),
  { currency, units: TIGHT_UNITS, active: true },
  { currency, units: RICH_UNITS, active: false },
]);
const TIGHT = RICH;
const IDLE = RICH + 1;
const OF_A_CURRENCY = RICH + 2;

/** Events of partners over campaigns and afiliados, told again and out of order at set rates. */
export const partners: Kind = {
  name: "partners",
  prepare: async (run) => partnerSource(run, await makeCampaigns(run)),
};

/** Over HTTP, as anybody would. */
async function makeCampaigns({ trafficId, campaigns }: Run): Promise<readonly Campaign[]> {
  const made: Campaign[] = [];
  for (const [i, { currency, units, active }] of CAMPAIGNS.entries()) {
    const asked = { name: `traffic ${trafficId}, ${i}`, budget: `${units}.00`, currency };
    const { id } = (await campaigns.ask("POST", "/campaigns", asked)) as { readonly id: string };
    if (active) {
      await campaigns.ask("PATCH", `/campaigns/${id}/activate`);
    }
    made.push({ id, currency, budgetMinor: units * 100, active });
  }
  return made;
}

export function partnerSource(
  {
    trafficId,
    spec,
    target,
    requests,
    keys,
  }: Pick<Run, "trafficId" | "spec" | "target" | "requests" | "keys">,
  campaigns: readonly Campaign[],
): Source {
  const sources = keys === undefined ? UNSIGNED : [...keys.keys()];
  const order = disorder(spec, requests);
  const sourceOf = (n: number) => sources[n % sources.length] ?? "";
  const eventId = (n: number) => `traffic:${trafficId}:${n}`;
  const head = (headers?: Readonly<Record<string, string>>) =>
    target.head("/event-collector/events", headers);
  const plain = head();
  return {
    request: (request) => {
      const n = order[request] ?? 0;
      const source = sourceOf(n);
      const body = JSON.stringify({
        source,
        event_id: eventId(n),
        ...told(drawEvent(spec, n), campaigns, eventId(n)),
      });
      // Each try is signed anew, as it must be.
      const [key] = keys?.get(source) ?? [];
      const signed = { id: eventId(request), body, at: new Date() };
      return `${key === undefined ? plain : head(signatureHeaders(signed, [key]))}${body.length}\r\n\r\n${body}`;
    },
    enterKey: (pool, outcomes) =>
      enterPartnerEvents(pool, {
        trafficId,
        campaigns,
        events: answerOf(order, outcomes).map(({ n, told: times, answer }) => {
          const event = drawEvent(spec, n);
          return {
            ...event,
            campaignId: campaigns[event.campaign]?.id ?? "",
            source: sourceOf(n),
            eventId: eventId(n),
            told: times,
            answer,
          };
        }),
      }),
  };
}

/** What an event says, but for who told it. */
function told(
  { type, afiliado, campaign, moneda, spend, payout }: PartnerEvent,
  campaigns: readonly Campaign[],
  id: string,
) {
  const amount = (minor: number) => formatAmount(BigInt(minor), moneda);
  const campaign_id = campaigns[campaign]?.id;
  const paid = { id_afiliado: afiliado, moneda };
  const data = {
    click: { campaign_id },
    impression: { campaign_id },
    conversion: { campaign_id, ...paid, spend: amount(spend), commission: amount(payout) },
    payment: { ...paid, monto: amount(payout), referencia_pago: id },
  }[type];
  return { type, occurred_at: OCCURRED_AT, data };
}

/** Any time; the same for the same seed. */
const OCCURRED_AT = "2026-01-01T00:00:00.000Z";

/** Event `n` of a spec. Clicks and impressions are three of ten each, conversions and payments two of ten. */
export function drawEvent({ seed, refusedShare }: TrafficSpec, n: number): PartnerEvent {
  const rng = new Prng(seed, STREAM, n);
  const kind = rng.below(10);
  const at = rng.below(MONEDAS.length);
  const moneda = MONEDAS[at] as Moneda;
  const common = { afiliado: `afiliado-${1 + rng.below(AFILIADOS)}`, moneda };
  const rich = OF_A_CURRENCY * at + rng.below(RICH);
  if (kind < 6) {
    const type = kind < 3 ? "click" : "impression";
    return { ...common, type, campaign: rich, spend: 0, payout: 0, expected: undefined };
  }
  if (kind < 8) {
    return {
      ...common,
      type: "payment",
      campaign: rich,
      spend: 0,
      payout: 100 + rng.below(10_000),
      expected: "paid",
    };
  }
  const amounts = { spend: 1_000 + rng.below(2_000), payout: 10 + rng.below(500) };
  const conversion = { ...common, ...amounts, type: "conversion" } as const;
  const share = rng.unit();
  if (share >= refusedShare) {
    return { ...conversion, campaign: rich, expected: "spent" };
  }
  // A third each.
  if (share < refusedShare / 3) {
    return { ...conversion, campaign: OF_A_CURRENCY * at + TIGHT, expected: "spent or over_budget" };
  }
  if (share < (2 * refusedShare) / 3) {
    return { ...conversion, campaign: OF_A_CURRENCY * at + IDLE, expected: "not_active" };
  }
  const other = OF_A_CURRENCY * ((at + 1) % MONEDAS.length);
  return { ...conversion, campaign: other, expected: "wrong_currency" };
}
