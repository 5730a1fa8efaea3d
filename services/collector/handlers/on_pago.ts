import { parseAmount } from "../../../lib/domain/money.js";
import type { ReceivedEvent } from "../../../lib/messaging/event.js";
import type { EventOutcome } from "../../../lib/messaging/handle_batch.js";
import { recordIllegalTransitions } from "../../../lib/messaging/illegal_transition.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import type { PagoEvent } from "../../contracts/payments_evt.js";
import {
  findPayoutDeliveries,
  notePagos,
  type PagoOutcome,
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
    const illegal = latest.flatMap(({ messageId, version, ...each }) => {
      const met = left.get(pagoKey(each));
      // Told before, or late.
      if (met === undefined || met.version >= version) {
        return [];
      }
      const state = `${met.state}, ${met.outcome}`;
      return [{ messageId, event, subjectId: met.id, state, reason: `${outcome} of version ${version}` }];
    });
    await recordIllegalTransitions(db, "collector", illegal);
    return events.map(() => ({ kind: "done" }));
  };

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
