import { type Forecast, wouldFail } from "../../lib/messaging/forecast.js";
import type { Queryable } from "../../lib/postgres/pool.js";
import { type Considered, consider, type Met } from "./domain/consider.js";
import type { Payment, Standing } from "./domain/payment.js";
import { failureOf } from "./handlers/outcome.js";
import { rounds, type Told } from "./react.js";
import { meetPayments } from "./store/transition.js";

/** What events of one name would come to now, in their order: what `react` decides, with nothing changed. */
export async function foresee(
  db: Queryable,
  event: string,
  told: readonly Told[],
): Promise<readonly Considered[]> {
  const found = new Map<Told, Considered>();
  const moved = new Map<string, Moved>();
  for (const round of rounds(told)) {
    const met = await meetPayments(db, event, round);
    for (const each of round) {
      const { paymentId, messageId, fact } = each;
      const before = moved.get(paymentId);
      const considered = consider(after(met.get(paymentId), messageId, before), fact);
      found.set(each, considered);
      if (considered.kind === "move") {
        const messages = [...(before?.messages ?? []), messageId];
        moved.set(paymentId, { payment: { ...considered.payment, ...considered.to }, messages });
      }
    }
  }
  return told.map((each) => found.get(each) as Considered);
}

/** A payment as events that were looked at before would leave it. */
interface Moved {
  readonly payment: Payment;
  readonly messages: readonly string[];
}

function after(met: Met | undefined, messageId: string, moved: Moved | undefined): Met | undefined {
  if (met === undefined || moved === undefined) {
    return met;
  }
  return { ...met, payment: moved.payment, repeated: met.repeated || moved.messages.includes(messageId) };
}

export function forecastOf(considered: Considered): Forecast {
  switch (considered.kind) {
    case "move":
      return { kind: "would apply", why: wordsOf(considered.to) };
    case "repeated":
      return { kind: "already applied", why: "the same message led to a step of its payment" };
    case "illegal":
      return { kind: "illegal", why: considered.reason };
    default: {
      const { code, reason } = failureOf(considered);
      return wouldFail(code, reason);
    }
  }
}

const wordsOf = ({ state, awaiting, reason }: Standing): string =>
  [state, awaiting === null ? undefined : `awaits ${awaiting}`, reason].filter(Boolean).join(", ");
