import type { ReceivedEvent } from "../../lib/messaging/event.js";
import { type IllegalTransition, recordIllegalTransitions } from "../../lib/messaging/illegal_transition.js";
import type { Queryable } from "../../lib/postgres/pool.js";
import { type Considered, consider } from "./domain/consider.js";
import { type Fact, type Remedy, usual } from "./domain/decide.js";
import {
  applyTransitions,
  type Moved,
  meetPayments,
  type Telling,
  type Transition,
} from "./store/transition.js";

/** An event about a payment. */
export interface Told extends Pick<ReceivedEvent<unknown>, "messageId" | "traceId" | "timeline"> {
  readonly paymentId: string;
  readonly fact: Fact;
}

/** What became of an event. */
export type Reacted =
  /** It led to a step, now or when it came before: nobody may have heard of that then. */
  | { readonly kind: "moved"; readonly payment: Moved }
  /** Recorded, not applied; what follows from it all the same. */
  | { readonly kind: "illegal"; readonly payment: Moved; readonly remedy: Remedy | undefined }
  | Extract<Considered, { kind: "unknown" | "refused" }>;

/**
 * Applies what events of one name tell of payments. What comes as usual takes one statement. For the others their payments are
 * looked at, the domain decides, and what it decides is set where the payment is still as it was; else all of that again.
 */
export async function react(
  db: Queryable,
  event: string,
  told: readonly Told[],
  telling: Telling,
): Promise<readonly Reacted[]> {
  const reacted = new Map<Told, Reacted>();
  for (const round of rounds(told)) {
    await reactToEach(db, event, round, telling, reacted);
  }
  return told.map((each) => reacted.get(each) as Reacted);
}

/** A payment of which several events tell meets them one after the other. */
export function* rounds(told: readonly Told[]): Generator<readonly Told[], void, undefined> {
  for (let waiting = told; waiting.length > 0; ) {
    const first = new Map(waiting.toReversed().map((each) => [each.paymentId, each]));
    yield waiting.filter((each) => first.get(each.paymentId) === each);
    waiting = waiting.filter((each) => first.get(each.paymentId) !== each);
  }
}

async function reactToEach(
  db: Queryable,
  event: string,
  told: readonly Told[],
  telling: Telling,
  reacted: Map<Told, Reacted>,
): Promise<void> {
  const move = async (each: ReadonlyMap<Told, Transition>) => {
    const moved = await applyTransitions(db, [...each.values()], telling);
    for (const [about, { paymentId }] of each) {
      const payment = moved.get(paymentId);
      if (payment !== undefined) {
        reacted.set(about, { kind: "moved", payment });
      }
    }
  };
  await move(new Map(told.flatMap((each) => usualTransition(event, each).map((to) => [each, to] as const))));
  for (let left = told.filter((each) => !reacted.has(each)); left.length > 0; ) {
    const met = await meetPayments(db, event, left);
    const moving = new Map<Told, Transition>();
    const illegal: IllegalTransition[] = [];
    for (const each of left) {
      const { paymentId, messageId, fact } = each;
      const considered = consider(met.get(paymentId), fact);
      if (considered.kind === "move") {
        const { payment, to } = considered;
        const { amount, customerId } = payment;
        moving.set(each, { ...each, event, from: payment, amount, minorDigits: null, customerId, to });
      } else if (considered.kind === "illegal") {
        const { payment, reason, remedy } = considered;
        illegal.push({ messageId, event, subjectId: paymentId, state: payment.state, reason });
        reacted.set(each, { kind: "illegal", payment, remedy });
      } else if (considered.kind === "repeated") {
        reacted.set(each, { kind: "moved", payment: considered.payment });
      } else {
        reacted.set(each, considered);
      }
    }
    await recordIllegalTransitions(db, "saga", illegal);
    await move(moving);
    left = left.filter((each) => !reacted.has(each));
  }
}

function usualTransition(event: string, told: Told): readonly Transition[] {
  const expected = usual(told.fact);
  return expected === undefined
    ? []
    : [{ ...told, ...expected, event, from: { ...expected.from, refunded: 0n } }];
}
