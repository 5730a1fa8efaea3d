export type State = "PENDING" | "APPROVED" | "DECLINED" | "PARTIALLY_REFUNDED" | "REFUNDED";
/** What a pending payment waits for. */
export type Awaiting = "check" | "debit";
export type Reason = "fraud_detected" | "insufficient_funds" | "unknown_wallet" | "timed_out";

/** What somebody wants to pay; never changes. */
export interface Order {
  readonly paymentId: string;
  readonly customerId: string;
  /** The customer's own name for it. */
  readonly reference: string | null;
  /** In minor units. */
  readonly amount: bigint;
  readonly currency: string;
  readonly method: string;
  /** 32 hex digits. */
  readonly traceId: string;
  readonly createdAt: Date;
}

/** How it stands with a payment. */
export interface Standing {
  readonly state: State;
  readonly awaiting: Awaiting | null;
  readonly reason: Reason | null;
  /** In minor units. */
  readonly refunded: bigint;
}

export interface Payment extends Order, Standing {
  readonly updatedAt: Date;
}

export const NEW: Standing = { state: "PENDING", awaiting: "check", reason: null, refunded: 0n };
