import { type Decision, decide, distrust, type Fact } from "./decide.js";
import type { Payment } from "./payment.js";

/** A payment, and what is to be known of the message that is asked about. */
export interface Met {
  readonly payment: Payment;
  /** It led to one of the payment's steps. */
  readonly repeated: boolean;
  /** It was told on another timeline than the database is on. */
  readonly foreign: boolean;
}

/** What comes of an event about a payment, before anything is changed. */
export type Considered =
  | (Extract<Decision, { kind: "move" }> & { readonly payment: Payment })
  /** The same message led to a step before. */
  | { readonly kind: "repeated"; readonly payment: Payment }
  /** It came early or late, or contradicts what is known. */
  | (Extract<Decision, { kind: "illegal" }> & { readonly payment: Payment })
  /** There is no such payment. */
  | { readonly kind: "unknown" }
  /** It makes no sense for its payment, and never will. */
  | { readonly kind: "refused"; readonly error: Error };

/** What comes of a fact that a message tells of the payment that it met. */
export function consider(met: Met | undefined, fact: Fact): Considered {
  if (met === undefined) {
    return { kind: "unknown" };
  }
  const { payment, repeated, foreign } = met;
  if (repeated) {
    return { kind: "repeated", payment };
  }
  try {
    return { ...(foreign ? distrust : decide)(payment, fact), payment };
  } catch (error) {
    return { kind: "refused", error: error as Error };
  }
}
