/** A message in the hands of a handler. The broker keeps it until the outcome is carried out. */
export interface Delivery {
  readonly body: Buffer;
  readonly headers: MessageHeaders;
  readonly messageId: string | undefined;
  /** The property `type`, as it came: what it is. */
  readonly type?: unknown;
  /** Starts at 1; counts what handlers answered with `retry`, not redeliveries after a crash. */
  readonly attempt: number;
  /** Whether it has been in somebody's hands before. */
  readonly redelivered: boolean;
  /** How often the broker got it back without an outcome. It dead-letters it when that goes over the family's limit. */
  readonly deliveryCount: number;
  /**
   * Fires when the broker has taken the message back: someone else may be at it, the outcome will be ignored. A handler
   * that goes on for long should end then; until it does, it fills one of its consumer's places.
   */
  readonly lost: AbortSignal;
  /**
   * Fires when it has been held for so long that the broker may soon take it back, and count that. A handler that only waits
   * should answer `release` then. One that works may go on: a copy will stand for the message until it is done.
   */
  readonly overdue: AbortSignal;
}

/** Message headers as they come: from anyone, so of any type. */
export type MessageHeaders = Readonly<Record<string, unknown>>;

/** What a handler says of its delivery. `code` is one of ours or the driver's: people search the dead letters for it. */
export type Outcome =
  /** All is done and committed. */
  | { readonly kind: "done" }
  /** It failed, and may succeed later: to the retry ladder. */
  | { readonly kind: "retry"; readonly code: string; readonly reason: string }
  /** It can never succeed, or was tried often enough: to the dead-letter queue. `attempts`: of a handler that counts its own. */
  | { readonly kind: "reject"; readonly code: string; readonly reason: string; readonly attempts?: number }
  /** Not tried, or not our fault (an outage): it comes again, and neither an attempt nor a delivery counts. */
  | { readonly kind: "release" };

export type Handler = (delivery: Delivery) => Promise<Outcome>;

/** What became of a delivery: its outcome, carried out. Until then an outcome is only a wish, for the broker may be away. */
export interface Settled {
  readonly delivery: Delivery;
  readonly outcome: Outcome;
  /** Rejected, or retried as often as the ladder allows. */
  readonly deadLettered: boolean;
}
