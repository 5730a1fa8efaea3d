import { z } from "zod";
import { CoreError } from "../../../lib/core_errors.js";
import { amount, currency, reference } from "../../../lib/domain/fields.js";
import { newId } from "../../../lib/domain/ids.js";
import { codeOf, messageOf } from "../../../lib/errors.js";
import { Gatherer } from "../../../lib/gatherer.js";
import { type Answer, replayed } from "../../../lib/http/answer.js";
import { inFlight, withIdempotency } from "../../../lib/http/idempotency.js";
import { defineRoute } from "../../../lib/http/route.js";
import { transaction } from "../../../lib/postgres/pool.js";
import type { Service } from "../../../lib/runtime/service_process.js";
import { type Dinero, dineroOf } from "../domain/dinero.js";
import { PayoutsError } from "../errors.js";
import { pendingEvent } from "../events.js";
import { type Entered, type Entry, enterPagos } from "../store/new_pago.js";
import { estado } from "./pago_body.js";

/** As payments are entered; see services/payments/routes/create_payment.ts. */
const GROUP = { waitMs: 3, max: 200 };

const body = z.strictObject({
  id_afiliado: reference.meta({ examples: ["afiliado-1"] }),
  monto: amount,
  moneda: currency,
  referencia_pago: reference.meta({ examples: ["mayo-1"] }),
});

const REFERENCE = { in: "body", pointer: "#/referencia_pago" } as const;

export interface CreatePagoOptions extends Pick<Service, "pool"> {
  /** Told of what was committed. */
  readonly announce: (entered: readonly Entry[]) => void;
  /** Groups that are entered at a time. */
  readonly connections: number;
}

/** A repetition is the same Pago, with or without a key: its reference is its business key. */
export const createPago = ({ pool, announce, connections }: CreatePagoOptions) => {
  const group = new Gatherer<Entry, Entered>({
    ...GROUP,
    atOnce: connections,
    work: async (entries) => {
      const entered = await enterPagos(pool, entries);
      announce(entries.filter((_, i) => entered[i]?.kind === "entered"));
      return entered;
    },
  });
  return defineRoute({
    method: "POST",
    path: "/pagos",
    summary: "Pay an afiliado",
    request: { body },
    idempotency: "optional",
    answers: { 202: z.object({ id_pago: z.uuid(), estado }) },
    handle: async (request) => {
      const entry = entryOf(request.body, request.traceId);
      if (request.idempotency === undefined) {
        return answerTo(entry, await group.add(entry));
      }
      // Key, Pago and answer are one transaction; what it makes is told after it.
      const answer = await transaction(pool, (tx) =>
        withIdempotency(tx, { schema: "payouts", request }, async () => {
          const [entered] = await enterPagos(tx, [entry]);
          return answerTo(entry, entered as Entered);
        }),
      );
      if (answer.headers["idempotent-replayed"] === undefined) {
        announce([entry]);
      }
      return answer;
    },
  });
};

function entryOf(asked: z.output<typeof body>, traceId: string): Entry {
  const orden = {
    idPago: newId(),
    idAfiliado: asked.id_afiliado,
    referenciaPago: asked.referencia_pago,
    ...dineroAsked(asked),
    traceId,
    createdAt: new Date(),
  };
  return { orden, event: pendingEvent(orden) };
}

/** @throws CoreError AMOUNT_INVALID, PayoutsError MONEDA_REFUSED */
function dineroAsked({ monto, moneda }: z.output<typeof body>): Dinero {
  try {
    return dineroOf(monto, moneda);
  } catch (error) {
    if (codeOf(error) !== "AMOUNT_INVALID") {
      throw error;
    }
    throw new CoreError("AMOUNT_INVALID", messageOf(error), { field: { in: "body", pointer: "#/monto" } });
  }
}

/** @throws PayoutsError PAGO_REFERENCE_USED, CoreError IDEMPOTENCY_IN_FLIGHT */
function answerTo({ orden }: Entry, entered: Entered): Answer {
  switch (entered.kind) {
    case "entered":
      return accepted(orden.idPago, "PENDIENTE");
    case "known":
      return accepted(entered.pago.idPago, entered.pago.estado, true);
    case "different":
      throw new PayoutsError(
        "PAGO_REFERENCE_USED",
        `referencia_pago ${orden.referenciaPago} is Pago ${entered.pago.idPago}, which differs in monto or moneda.`,
        { hint: "Use another reference for another Pago.", field: REFERENCE },
      );
    default:
      throw inFlight(REFERENCE);
  }
}

const accepted = (idPago: string, now: z.output<typeof estado>, repeat = false): Answer => ({
  status: 202,
  body: { id_pago: idPago, estado: now },
  headers: { location: `/pagos/${idPago}`, ...replayed(repeat) },
});
