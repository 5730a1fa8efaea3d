import { decide, type Fact } from "./decide.js";
import type { Payment, Standing } from "./payment.js";

/** A payment, and whether the message that is asked about led to one of its steps. */
export interface Met {
  readonly payment: Payment;
  readonly repeated: boolean;
}

/** What comes of an event about a payment, before anything is changed. */
export type Considered =
  | { readonly kind: "move"; readonly payment: Payment; readonly to: Standing }
  /** The same message led to a step before. */
  | { readonly kind: "repeated"; readonly payment: Payment }
  /** It came early or late, or contradicts what is known. */
  | { readonly kind: "illegal"; readonly payment: Payment; readonly reason: string }
  /** There is no such payment. */
  | { readonly kind: "unknown" }
  /** It makes no sense for its payment, and never will. */
  | { readonly kind: "refused"; readonly error: Error };

/** What comes of a fact that a message tells of the payment that it met. */
export function consider(met: Met | undefined, fact: Fact): Considered {
  if (met === undefined) {
    return { kind: "unknown" };
  }
  const { payment, repeated } = met;
  if (repeated) {
    return { kind: "repeated", payment };
  }
  try {
    return { ...decide(payment, fact), payment };
  } catch (error) {
    return { kind: "refused", error: error as Error };
  }
}
