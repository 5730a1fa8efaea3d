import type { ReceivedEvent } from "../../lib/messaging/event.js";
import { type IllegalTransition, recordIllegalTransitions } from "../../lib/messaging/illegal_transition.js";
import type { Queryable } from "../../lib/postgres/pool.js";
import { decide, type Fact, usual } from "./domain/decide.js";
import { applyTransitions, type Moved, meetPayments, type Transition } from "./store/transition.js";

/** An event about a payment. */
export interface Told extends Pick<ReceivedEvent<unknown>, "messageId" | "traceId"> {
  readonly paymentId: string;
  readonly fact: Fact;
}

/** What became of an event. */
export type Reacted =
  /** It led to a step, now or when it came before: nobody may have heard of that then. */
  | { readonly kind: "moved"; readonly payment: Moved }
  /** Recorded, not applied. */
  | { readonly kind: "illegal" }
  /** There is no such payment. */
  | { readonly kind: "unknown" }
  /** It makes no sense for its payment, and never will. */
  | { readonly kind: "refused"; readonly error: Error };

/**
 * Applies what events of one name tell of payments. What comes as usual takes one statement. For the others their payments are
 * looked at, the domain decides, and what it decides is set where the payment is still as it was; else all of that again.
 */
export async function react(
  db: Queryable,
  event: string,
  told: readonly Told[],
): Promise<readonly Reacted[]> {
  const reacted = new Map<Told, Reacted>();
  let waiting = told;
  // A payment of which several events tell meets them one after the other.
  while (waiting.length > 0) {
    const seen = new Set<string>();
    const now = waiting.filter(({ paymentId }) => !seen.has(paymentId) && seen.add(paymentId));
    await reactToEach(db, event, now, reacted);
    waiting = waiting.filter((each) => !reacted.has(each));
  }
  return told.map((each) => reacted.get(each) as Reacted);
}

async function reactToEach(
  db: Queryable,
  event: string,
  told: readonly Told[],
  reacted: Map<Told, Reacted>,
): Promise<void> {
  const move = async (each: ReadonlyMap<Told, Transition>) => {
    const moved = await applyTransitions(db, [...each.values()]);
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
      const { payment, repeated = false } = met.get(paymentId) ?? {};
      if (payment === undefined) {
        reacted.set(each, { kind: "unknown" });
        continue;
      }
      if (repeated) {
        reacted.set(each, { kind: "moved", payment });
        continue;
      }
      try {
        const decision = decide(payment, fact);
        if (decision.kind === "move") {
          const { amount, customerId } = payment;
          moving.set(each, { ...each, event, from: payment, amount, customerId, to: decision.to });
        } else {
          const { state } = payment;
          illegal.push({ messageId, event, subjectId: paymentId, state, reason: decision.reason });
          reacted.set(each, { kind: "illegal" });
        }
      } catch (error) {
        reacted.set(each, { kind: "refused", error: error as Error });
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
