import type { z } from "zod";
import { newId } from "../../../lib/domain/ids.js";
import { adviceOf, codeOf, PlatformError } from "../../../lib/errors.js";
import type { ReceivedEvent } from "../../../lib/messaging/event.js";
import type { EventOutcome } from "../../../lib/messaging/handle_batch.js";
import { recordIllegalTransitions } from "../../../lib/messaging/illegal_transition.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import { payoutsPayoutRequested } from "../../contracts/payouts_payout_requested.js";
import { dineroOf } from "../domain/dinero.js";
import { pendingEvent } from "../events.js";
import { type Entered, type Entry, enterPagos } from "../store/new_pago.js";

type Asked = ReceivedEvent<z.output<typeof payoutsPayoutRequested.schema>>;

/**
 * Makes a Pago of each reference that is new. A repetition does nothing, another Pago under a used reference is recorded. Nobody is
 * answered but by `payments.evt.*`.
 *
 * @param announce is told of what was committed
 */
export async function onPayoutRequested(
  db: Queryable,
  asked: readonly Asked[],
  announce: (entered: readonly Entry[]) => void,
): Promise<EventOutcome[]> {
  const outcomes = new Map<Asked, EventOutcome>();
  const entries = new Map<Asked, Entry>();
  for (const event of asked) {
    try {
      entries.set(event, entryOf(event));
    } catch (error) {
      if (!(error instanceof PlatformError)) {
        throw error;
      }
      outcomes.set(event, { kind: "reject", code: codeOf(error) ?? "INTERNAL", reason: adviceOf(error) });
    }
  }
  const all = [...entries];
  const entered = all.length === 0 ? [] : await enterPagos(db, [...entries.values()]);
  announce(all.filter((_, i) => entered[i]?.kind === "entered").map(([, entry]) => entry));
  await recordIllegalTransitions(
    db,
    "payouts",
    all.flatMap(([event], i) => contradiction(event, entered[i])),
  );
  for (const [i, [event]] of all.entries()) {
    outcomes.set(event, entered[i]?.kind === "in flight" ? { kind: "held" } : { kind: "done" });
  }
  return asked.map((event) => outcomes.get(event) as EventOutcome);
}

/** @throws PlatformError AMOUNT_INVALID */
function entryOf({ body, traceId }: Asked): Entry {
  const orden = {
    idPago: newId(),
    idAfiliado: body.id_afiliado,
    referenciaPago: body.referencia_pago,
    ...dineroOf(body.monto, body.moneda),
    traceId,
    createdAt: new Date(),
  };
  return { orden, event: pendingEvent(orden) };
}

function contradiction({ messageId }: Asked, entered: Entered | undefined) {
  if (entered?.kind !== "different") {
    return [];
  }
  const { idPago, estado } = entered.pago;
  const reason = "another Pago under the same referencia_pago";
  return [{ messageId, event: payoutsPayoutRequested.name, subjectId: idPago, state: estado, reason }];
}
