import { newId } from "../../lib/domain/ids.js";
import type { Pool } from "../../lib/postgres/pool.js";
import { createServicePool } from "../../lib/postgres/service_pool.js";
import type { CampaignEvent } from "../../services/contracts/campaigns_evt.js";
import {
  type PagoEvent,
  paymentsEvtCompleted,
  paymentsEvtFailed,
  paymentsEvtPending,
} from "../../services/contracts/payments_evt.js";
import { eventually } from "./eventually.js";
import type { Services } from "./service.js";

/** A Pago as it is when it was accepted. */
export const pago = (more: Partial<PagoEvent> = {}): PagoEvent => ({
  id_pago: newId(),
  id_afiliado: "ada",
  monto: "10.00",
  moneda: "USD",
  referencia_pago: newId(),
  estado: "PENDIENTE",
  version: 1,
  occurred_at: "2026-11-26T10:00:00.000Z",
  ...more,
});

/** The same when its end is known: a version later than PROCESANDO, of which nobody is told. */
export const ended = (of: PagoEvent, estado: "EXITOSO" | "FALLIDO"): PagoEvent => ({
  ...of,
  estado,
  version: 3,
});

export const campaign = (more: Partial<CampaignEvent> = {}): CampaignEvent => ({
  campaign_id: newId(),
  name: "spring",
  state: "CREATED",
  budget: "100.00",
  spend: "0.00",
  currency: "USD",
  impressions: 0,
  clicks: 0,
  conversions: 0,
  version: 1,
  occurred_at: "2026-11-26T10:00:00.000Z",
  ...more,
});

/** As commands of reports have it: without limits on what a statement takes. */
export const reportsPool = (services: Services): Pool =>
  createServicePool(services.settings, {
    role: "payments_reports",
    schema: "reports",
    max: 4,
    applicationName: "payments reports",
    bulk: true,
  });

/** Resolves when so many events are archived, in all. */
export const archived = (services: Services, events: number) =>
  eventually(
    `${events} events are archived`,
    async () => {
      const [head] = await services.owner<{ position: number }>("SELECT position FROM reports.head");
      return head?.position === events;
    },
    { withinMs: 60_000 },
  );

/** Tells of `count` payouts, of which one in four fails and three are paid, and waits until all of it is archived. */
export async function tellPayouts(
  services: Services,
  count: number,
  before = 0,
): Promise<readonly PagoEvent[]> {
  const payouts = Array.from({ length: count }, (_, i) =>
    pago({ id_afiliado: `a${i % 7}`, monto: `${1 + (i % 90)}.50`, moneda: i % 3 === 0 ? "EUR" : "USD" }),
  );
  await services.publish(paymentsEvtPending, payouts);
  const [failed, paid] = [payouts.filter((_, i) => i % 4 === 0), payouts.filter((_, i) => i % 4 !== 0)];
  await services.publish(
    paymentsEvtFailed,
    failed.map((of) => ended(of, "FALLIDO")),
  );
  await services.publish(
    paymentsEvtCompleted,
    paid.map((of) => ended(of, "EXITOSO")),
  );
  await archived(services, before + 2 * count);
  return payouts;
}
