import type { Pago } from "./pago.js";

/** What is told of a Pago that was sent to the gateway. */
export type Fact =
  | {
      readonly kind: "paid" | "failed";
      readonly gatewayId: string;
      /** In minor units. */
      readonly monto: bigint;
      readonly moneda: string;
      /** Why it failed. */
      readonly motivo: string;
    }
  /** The gateway made nothing of it, and never will. */
  | { readonly kind: "refused"; readonly motivo: string };

export type Decision =
  | {
      readonly kind: "settle";
      readonly estado: "EXITOSO" | "FALLIDO";
      readonly gatewayId: string | null;
      readonly motivo: string | null;
    }
  /** Paid, and sent back by the bank: the Pago stays EXITOSO. */
  | { readonly kind: "return"; readonly motivo: string }
  /** It was told before. */
  | { readonly kind: "known" }
  /** It came early or late, or contradicts what is known: recorded, never applied. */
  | { readonly kind: "illegal"; readonly reason: string }
  /** As illegal; and money is out that the books do not have: somebody has to see to it. */
  | { readonly kind: "unbooked"; readonly reason: string };

/** What a fact makes of a Pago. All rules are here; SQL only compares and sets. */
export function decide(pago: Pago, fact: Fact): Decision {
  if (fact.kind !== "refused") {
    if (fact.monto !== pago.monto || fact.moneda !== pago.moneda) {
      return illegal(`${fact.kind} with another amount`);
    }
    if (pago.gatewayId !== null && pago.gatewayId !== fact.gatewayId) {
      return illegal(`${fact.kind} as ${fact.gatewayId}, but it is ${pago.gatewayId}`);
    }
  }
  switch (pago.estado) {
    case "PENDIENTE":
      return illegal(`${fact.kind} before it was sent`);
    case "PROCESANDO":
      return settle(pago, fact);
    case "EXITOSO":
      return decidePaid(pago, fact);
    default:
      return decideFailed(pago, fact);
  }
}

function decideFailed({ gatewayId }: Pago, fact: Fact): Decision {
  if (fact.kind !== "paid") {
    return KNOWN;
  }
  // Where the payout is known its return has overtaken it, and the money is back.
  const reason = "paid after it was FALLIDO";
  return gatewayId === null ? { kind: "unbooked", reason } : illegal(reason);
}

function decidePaid({ devuelto }: Pago, fact: Fact): Decision {
  switch (fact.kind) {
    case "paid":
      return KNOWN;
    case "failed":
      return devuelto === null ? { kind: "return", motivo: fact.motivo } : KNOWN;
    default:
      return illegal("refused after it was EXITOSO");
  }
}

function settle({ gatewayId }: Pago, fact: Fact): Decision {
  switch (fact.kind) {
    case "paid":
      return { kind: "settle", estado: "EXITOSO", gatewayId: fact.gatewayId, motivo: null };
    case "failed":
      return { kind: "settle", estado: "FALLIDO", gatewayId: fact.gatewayId, motivo: fact.motivo };
    default:
      // Who was refused may have slept while another one sent it under the same key.
      return gatewayId === null
        ? { kind: "settle", estado: "FALLIDO", gatewayId: null, motivo: fact.motivo }
        : illegal(`refused, but it was taken as ${gatewayId}`);
  }
}

const KNOWN: Decision = { kind: "known" };
const illegal = (reason: string): Decision => ({ kind: "illegal", reason });
