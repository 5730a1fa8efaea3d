import type { OutgoingMessage } from "../../lib/broker/confirms.js";
import { codeOf } from "../../lib/errors.js";
import { type IllegalTransition, recordIllegalTransitions } from "../../lib/messaging/illegal_transition.js";
import type { Queryable } from "../../lib/postgres/pool.js";
import { type Decision, decide, type Fact } from "./domain/decide.js";
import type { Pago } from "./domain/pago.js";
import { returnedEvent, settledEvent } from "./events.js";
import type { GatewayPayout } from "./gateway/pasarela.js";
import { findPagos } from "./store/pago.js";
import { applyTransitions, type Transition } from "./store/transition.js";

/** What somebody says of a Pago: a webhook, an answer of the gateway. */
export interface Told {
  readonly idPago: string;
  /** Of a webhook its own id and type; each is recorded once where it is illegal. */
  readonly messageId: string;
  readonly event: string;
  readonly fact: Fact;
}

/** What a payout of the gateway says of its Pago; undefined: it is not decided yet. */
export const factOf = ({ status, gatewayId, monto, moneda, motivo }: GatewayPayout): Fact | undefined =>
  status === "open" ? undefined : { kind: status, gatewayId, monto, moneda, motivo };

export type Reacted = Decision["kind"] | "unknown";

export interface Reaction {
  /** What became of each, in their order. */
  readonly reacted: readonly Reacted[];
  /** In the outbox, to be sent after the commit. */
  readonly events: readonly OutgoingMessage[];
}

/**
 * Applies what is told of Pagos (in no transaction: each of its statements is one), in its order where several things are told of one. Decided on Pagos as they were read, set where
 * they are still so; else read and decided anew.
 */
export async function react(db: Queryable, told: readonly Told[]): Promise<Reaction> {
  const reacted = new Map<Told, Reacted>();
  const events: OutgoingMessage[] = [];
  const illegal: IllegalTransition[] = [];
  for (let waiting = told; waiting.length > 0; waiting = waiting.filter((each) => !reacted.has(each))) {
    const seen = new Set<string>();
    const now = waiting.filter(({ idPago }) => !seen.has(idPago) && seen.add(idPago));
    const pagos = await findPagos(db, [...seen]);
    const changing = new Map<Told, Transition>();
    for (const each of now) {
      const pago = pagos.get(each.idPago);
      if (pago === undefined) {
        reacted.set(each, "unknown");
        illegal.push(illegalOf(each, "NONE", `${each.fact.kind}, but there is no such Pago`));
        continue;
      }
      const decision = decide(pago, each.fact);
      if (decision.kind === "settle" || decision.kind === "return") {
        changing.set(each, transitionOf(pago, decision));
        continue;
      }
      reacted.set(each, decision.kind);
      if ("reason" in decision) {
        illegal.push(illegalOf(each, pago.estado, decision.reason));
      }
    }
    const { changed, stolen } = await applyEach(db, [...changing.values()]);
    for (const [each, { estado, event }] of changing) {
      if (stolen.has(each.idPago)) {
        reacted.set(each, "illegal");
        illegal.push(illegalOf(each, "PROCESANDO", `${each.fact.kind} as another Pago's payout`));
      } else if (changed.has(each.idPago)) {
        reacted.set(each, estado === undefined ? "return" : "settle");
        events.push(event);
      }
    }
  }
  await recordIllegalTransitions(db, "payouts", illegal);
  return { reacted: told.map((each) => reacted.get(each) as Reacted), events };
}

const UNIQUE = "23505";

/** All in one statement; one by one where a gateway gives two Pagos one payout. `stolen`: those that got another one's. */
async function applyEach(
  db: Queryable,
  transitions: readonly Transition[],
): Promise<{ readonly changed: ReadonlySet<string>; readonly stolen: ReadonlySet<string> }> {
  try {
    return { changed: await applyTransitions(db, transitions), stolen: new Set() };
  } catch (error) {
    if (codeOf(error) !== UNIQUE) {
      throw error;
    }
  }
  const changed = new Set<string>();
  const stolen = new Set<string>();
  for (const each of transitions) {
    try {
      for (const id of await applyTransitions(db, [each])) {
        changed.add(id);
      }
    } catch (error) {
      if (codeOf(error) !== UNIQUE) {
        throw error;
      }
      stolen.add(each.pago.idPago);
    }
  }
  return { changed, stolen };
}

function transitionOf(pago: Pago, decision: Extract<Decision, { kind: "settle" | "return" }>): Transition {
  const at = new Date();
  if (decision.kind === "return") {
    const { motivo } = decision;
    const event = returnedEvent(pago, { motivo, at });
    return { pago, estado: undefined, gatewayId: pago.gatewayId, motivo, at, event };
  }
  const { estado, gatewayId, motivo } = decision;
  return { pago, estado, gatewayId, motivo, at, event: settledEvent(pago, { estado, motivo, at }) };
}

const illegalOf = ({ messageId, event, idPago }: Told, state: string, reason: string): IllegalTransition => ({
  messageId,
  event,
  subjectId: idPago,
  state,
  reason,
});
