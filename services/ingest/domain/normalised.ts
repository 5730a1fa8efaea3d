/** What contracts promise an event's `status_category` to be. */
export const STATUS_CATEGORIES = [
  "APPROVED",
  "PENDING",
  "DECLINED",
  "FAILED",
  "REFUNDED",
  "CHARGEBACK",
  "UNPROCESSED",
] as const;

export type StatusCategory = (typeof STATUS_CATEGORIES)[number];

/** One vocabulary for every provider's decline codes. */
export const FAILURE_REASONS = [
  "INSUFFICIENT_FUNDS",
  "BANK_DECLINE",
  "EXPIRED_CARD",
  "INVALID_CARD",
  "FRAUD_SUSPECTED",
  "3DS_FAILED",
  "LIMIT_EXCEEDED",
  "NETWORK_ERROR",
  "TIMEOUT",
  "CONFIGURATION",
  "DUPLICATE",
  "ABANDONED",
] as const;

export type FailureReason = (typeof FAILURE_REASONS)[number];

export const METHODS = ["rule", "learned", "ai", "none"] as const;

export type Method = (typeof METHODS)[number];

/** Why an event is UNPROCESSED. The first five are final; the others may change with a rule, a mapping or a model. */
export const UNPROCESSED_CODES = [
  /** Card data aside, the bytes are no JSON, XML, CSV or form that may be read: depth, size, an internal DTD, a duplicate key. */
  "MALFORMED",
  /** A pointer without a status: the provider has to be asked. */
  "NEEDS_FETCH",
  /** Known and of no payment: a report, a ping, a customer. */
  "NOT_A_PAYMENT",
  /** A known shape without a status. */
  "NO_STATUS",
  /** The hint names one provider, the shape another. */
  "CONTRADICTION",
  /** A known shape with a value that no table has. */
  "UNKNOWN_VALUE",
  /** Read, but a rule or a check of business said no: an undecidable amount, an impossible date. */
  "UNDECIDABLE",
  /** No rule knows the shape. */
  "UNRECOGNISED",
  /** A model is being asked. */
  "AI_PENDING",
] as const;

export type UnprocessedCode = (typeof UNPROCESSED_CODES)[number];

/** Which place of the document a field was read from, and by which rule. */
export interface Source {
  /** As a JSON pointer into the parsed document; empty for what the rule itself says (a provider's only currency). */
  readonly pointer: string;
  /** As it stood there, before it was mapped. */
  readonly text?: string;
}

/** One payment's event out of a body, all of it as the rule says and nothing guessed. */
export interface Normalised {
  readonly provider: string | null;
  /** `stripe/charge`: the rule that knew the shape; `learned/…` for a mapping; null where none did. */
  readonly rule: string | null;
  readonly method: Method;
  /** 0 to 1. */
  readonly confidence: number;
  readonly status: StatusCategory;
  /** Null unless status is UNPROCESSED. */
  readonly unprocessed: { readonly code: UnprocessedCode; readonly detail: string } | null;
  readonly reason: FailureReason | null;
  /** An earlier status of the payment that this event takes back: a failed capture its APPROVED, a won dispute its CHARGEBACK. */
  readonly undoes: StatusCategory | null;
  /** What the event moves, positive, as decimal text in the currency's main unit; null where the event does not say. */
  readonly amount: string | null;
  /** The same in minor units by ISO 4217; null without a currency too. */
  readonly amountMinor: bigint | null;
  readonly currency: string | null;
  readonly merchant: string | null;
  /** ISO 3166 alpha-2, the merchant's. */
  readonly country: string | null;
  /** When it happened, by the provider; null where it does not say, or says the impossible. */
  readonly occurredAt: Date | null;
  /** The notification's id, else the operation's. */
  readonly providerEventId: string | null;
  /** The payment that the event is about. */
  readonly paymentRef: string | null;
  /**
   * Equal for two bodies that tell the same: the notification's id, else object id, status and time. Null where a body has none;
   * then each is an event of its own.
   */
  readonly dedupKey: string | null;
  /** Raw code, raw text, network code, sub-reason: what is worth keeping and has no field. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly provenance: Readonly<Record<string, Source>>;
}
