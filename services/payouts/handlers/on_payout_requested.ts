import type { z } from "zod";
import { newId } from "../../../lib/domain/ids.js";
import { adviceOf, codeOf, PlatformError } from "../../../lib/errors.js";
import type { ReceivedEvent } from "../../../lib/messaging/event.js";
import { type Forecast, wouldFail } from "../../../lib/messaging/forecast.js";
import type { EventOutcome } from "../../../lib/messaging/handle_batch.js";
import { recordIllegalTransitions } from "../../../lib/messaging/illegal_transition.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import { payoutsPayoutRequested } from "../../contracts/payouts_payout_requested.js";
import { type Dinero, dineroOf, sameDinero } from "../domain/dinero.js";
import { latestEvent, pendingEvent } from "../events.js";
import { type Entered, type Entry, enterPagos, findByReferences, keyOf } from "../store/new_pago.js";

const DIFFERENT = "another Pago under the same referencia_pago";

type Asked = ReceivedEvent<z.output<typeof payoutsPayoutRequested.schema>>;

/**
 * Makes a Pago of each reference that is new. Whoever asks for a reference that has one, of the same Dinero or, which is recorded, of
 * another, is told once more what was told of it last. Nobody is answered but by `payments.evt.*`.
 *
 * @param announce is told of what was committed
 */
export async function onPayoutRequested(
  db: Queryable,
  asked: readonly Asked[],
  announce: (entered: readonly Entry[]) => void,
): Promise<EventOutcome[]> {
  const { entries, rejected } = readAll(asked);
  const outcomes = new Map<Asked, EventOutcome>(rejected);
  const all = [...entries];
  const entered = all.length === 0 ? [] : await enterPagos(db, [...entries.values()]);
  announce(all.filter((_, i) => entered[i]?.kind === "entered").map(([, entry]) => entry));
  await recordIllegalTransitions(
    db,
    "payouts",
    all.flatMap(([event], i) => contradiction(event, entered[i])),
  );
  for (const [i, [event]] of all.entries()) {
    outcomes.set(event, outcomeOf(entered[i] as Entered));
  }
  return asked.map((event) => outcomes.get(event) as EventOutcome);
}

/** The same for Pagos as they stand, with nothing entered. Of requests under one reference the first makes the Pago. */
export async function forecastPayoutRequested(db: Queryable, asked: readonly Asked[]): Promise<Forecast[]> {
  const { entries, rejected } = readAll(asked);
  const ordenes = [...entries.values()].map(({ orden }) => orden);
  const known = new Map<string, Dinero>(ordenes.length === 0 ? [] : await findByReferences(db, ordenes));
  return asked.map((event): Forecast => {
    const refused = rejected.get(event);
    if (refused !== undefined) {
      return wouldFail(refused.code, refused.reason);
    }
    const { orden } = entries.get(event) as Entry;
    const pago = known.get(keyOf(orden));
    if (pago === undefined) {
      known.set(keyOf(orden), orden);
      return { kind: "would apply", why: "a new Pago" };
    }
    return sameDinero(pago, orden)
      ? { kind: "already applied", why: "" }
      : { kind: "illegal", why: DIFFERENT };
  });
}

interface Read {
  readonly entries: ReadonlyMap<Asked, Entry>;
  /** Those that can be no Pago. */
  readonly rejected: ReadonlyMap<Asked, Extract<EventOutcome, { kind: "reject" }>>;
}

function readAll(asked: readonly Asked[]): Read {
  const read = { entries: new Map(), rejected: new Map() };
  for (const event of asked) {
    try {
      read.entries.set(event, entryOf(event));
    } catch (error) {
      if (!(error instanceof PlatformError)) {
        throw error;
      }
      const code = codeOf(error) ?? "INTERNAL";
      read.rejected.set(event, { kind: "reject", code, reason: adviceOf(error) });
    }
  }
  return read;
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

function outcomeOf(entered: Entered): EventOutcome {
  switch (entered.kind) {
    case "in flight":
      return { kind: "held" };
    case "entered":
      return { kind: "done" };
    default:
      return { kind: "done", followers: [latestEvent(entered.pago)] };
  }
}

function contradiction({ messageId }: Asked, entered: Entered | undefined) {
  if (entered?.kind !== "different") {
    return [];
  }
  const { idPago, estado } = entered.pago;
  return [
    { messageId, event: payoutsPayoutRequested.name, subjectId: idPago, state: estado, reason: DIFFERENT },
  ];
}
