import type { Pool } from "../../lib/postgres/pool.js";
import type { Outcome } from "../load/outcome.js";

/** A campaign that was made for a run. */
export interface Campaign {
  readonly id: string;
  readonly currency: string;
  readonly budgetMinor: number;
  readonly active: boolean;
}

/** An event that was told, and what must come of it. */
export interface KeptEvent {
  readonly source: string;
  readonly eventId: string;
  readonly type: "click" | "impression" | "conversion" | "payment";
  readonly campaignId: string;
  readonly afiliado: string;
  readonly moneda: string;
  /** In minor units. */
  readonly spend: number;
  readonly payout: number;
  readonly expected: string | undefined;
  readonly told: number;
  readonly answer: Outcome;
}

export interface PartnerKey {
  readonly trafficId: number;
  readonly campaigns: readonly Campaign[];
  readonly events: readonly KeptEvent[];
}

/** A statement's worth. */
const BATCH = 10_000;

export async function enterPartnerEvents(
  pool: Pool,
  { trafficId, campaigns, events }: PartnerKey,
): Promise<void> {
  await pool.query({
    name: "traffic_enter_campaigns",
    text: `INSERT INTO traffic.campaign (traffic_id, campaign_id, currency, budget, active)
           SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::bigint[], $5::boolean[])`,
    values: [
      trafficId,
      campaigns.map(({ id }) => id),
      campaigns.map(({ currency }) => currency),
      campaigns.map(({ budgetMinor }) => budgetMinor),
      campaigns.map(({ active }) => active),
    ],
  });
  for (let from = 0; from < events.length; from += BATCH) {
    await enterSome(pool, trafficId, events.slice(from, from + BATCH));
  }
}

async function enterSome(pool: Pool, trafficId: number, events: readonly KeptEvent[]): Promise<void> {
  const paid = (event: KeptEvent) => event.payout > 0;
  const of = <T>(has: (event: KeptEvent) => boolean, read: (event: KeptEvent) => T) =>
    events.map((event) => (has(event) ? read(event) : null));
  await pool.query({
    name: "traffic_enter_partner_events",
    text: `INSERT INTO traffic.partner_event (traffic_id, source, event_id, type, campaign_id, id_afiliado, referencia_pago, moneda, spend,
                                              payout, expected, told, answer)
           SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[], $5::uuid[], $6::text[], $7::text[], $8::text[], $9::bigint[],
                                    $10::bigint[], $11::text[], $12::integer[], $13::text[])`,
    values: [
      trafficId,
      events.map(({ source }) => source),
      events.map(({ eventId }) => eventId),
      events.map(({ type }) => type),
      of(
        ({ type }) => type !== "payment",
        ({ campaignId }) => campaignId,
      ),
      of(paid, ({ afiliado }) => afiliado),
      of(paid, ({ type, source, eventId }) =>
        type === "payment" ? eventId : `conversion:${source}:${eventId}`,
      ),
      of(paid, ({ moneda }) => moneda),
      of(
        ({ spend }) => spend > 0,
        ({ spend }) => spend,
      ),
      of(paid, ({ payout }) => payout),
      events.map(({ expected }) => expected ?? null),
      events.map(({ told }) => told),
      events.map(({ answer }) => answer),
    ],
  });
}
