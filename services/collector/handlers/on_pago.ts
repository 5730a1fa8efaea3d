import { parseAmount } from "../../../lib/domain/money.js";
import type { ReceivedEvent } from "../../../lib/messaging/event.js";
import type { Forecast } from "../../../lib/messaging/forecast.js";
import type { EventOutcome } from "../../../lib/messaging/handle_batch.js";
import { recordIllegalTransitions } from "../../../lib/messaging/illegal_transition.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import type { PagoEvent } from "../../contracts/payments_evt.js";
import {
  findPayoutDeliveries,
  foreseePagos,
  notePagos,
  type PagoOutcome,
  type PayoutDelivery,
  pagoKey,
  type ToldPago,
} from "../store/payout.js";

type Told = ReceivedEvent<PagoEvent>;

/** What became of a Pago. Of those that nobody asked for here it says nothing. */
export const onPago =
  (event: string, outcome: PagoOutcome) =>
  async (db: Queryable, events: readonly Told[]): Promise<EventOutcome[]> => {
    const told = events.map(({ body, messageId }) => ({ ...pagoOf(body, outcome), messageId }));
    const latest = latestOfEach(told);
    const noted = await notePagos(db, latest);
    const left = await findPayoutDeliveries(
      db,
      latest.filter((each) => !noted.has(pagoKey(each))),
    );
    const illegal = latest.flatMap(({ messageId, ...each }) => {
      const met = left.get(pagoKey(each));
      if (met === undefined || !contradicts(each, met)) {
        return [];
      }
      const state = `${met.state}, ${met.outcome}`;
      return [{ messageId, event, subjectId: met.id, state, reason: reasonOf(each) }];
    });
    await recordIllegalTransitions(db, "collector", illegal);
    return events.map(() => ({ kind: "done" }));
  };

/** The same on what is noted, nothing changed. Of one Pago the latest version counts. */
export const forecastPago =
  (outcome: PagoOutcome) =>
  async (db: Queryable, events: readonly Told[]): Promise<Forecast[]> => {
    const told = events.map(({ body }) => pagoOf(body, outcome));
    const latest = new Set(latestOfEach(told));
    const [noted, met] = [await foreseePagos(db, [...latest]), await findPayoutDeliveries(db, [...latest])];
    return told.map((each): Forecast => {
      const delivery = met.get(pagoKey(each));
      if (delivery === undefined) {
        return { kind: "already applied", why: "nobody asked for it here" };
      }
      if (latest.has(each) && noted.has(pagoKey(each))) {
        return { kind: "would apply", why: outcome };
      }
      return latest.has(each) && contradicts(each, delivery)
        ? { kind: "illegal", why: reasonOf(each) }
        : { kind: "already applied", why: "" };
    });
  };

/** Of what could not be noted: an earlier version was told before, or comes late. */
const contradicts = ({ version }: ToldPago, met: PayoutDelivery) => met.version < version;
const reasonOf = ({ outcome, version }: ToldPago) => `${outcome} of version ${version}`;

const pagoOf = (body: PagoEvent, outcome: PagoOutcome): ToldPago => ({
  idAfiliado: body.id_afiliado,
  referenciaPago: body.referencia_pago,
  amount: parseAmount(body.monto, body.moneda),
  moneda: body.moneda,
  idPago: body.id_pago,
  outcome,
  reason: body.motivo ?? null,
  version: body.version,
});

/** A statement changes a row once. */
function latestOfEach<Pago extends ToldPago>(told: readonly Pago[]): readonly Pago[] {
  const latest = new Map<string, Pago>();
  for (const each of told) {
    const before = latest.get(pagoKey(each));
    if (before === undefined || before.version < each.version) {
      latest.set(pagoKey(each), each);
    }
  }
  return [...latest.values()];
}
