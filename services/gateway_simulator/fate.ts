import { chance } from "../../lib/domain/chance.js";

/** What becomes of a request to pay. */
export type RequestFate =
  | "served"
  /** 429, and not looked at. */
  | "busy"
  /** 503, and not looked at. */
  | "down"
  /** 400: the balance does not suffice. */
  | "refused"
  /** Paid, answered with 500. */
  | "failed after"
  /** Not paid, answered with 500. */
  | "failed before"
  /** Paid, and the connection cut in place of an answer. */
  | "cut off"
  /** Paid, and never answered. */
  | "silent";

const WRONG: readonly (readonly [RequestFate, share: number])[] = [
  ["busy", 0.2],
  ["down", 0.2],
  ["refused", 0.2],
  ["failed after", 0.1],
  ["failed before", 0.1],
  ["cut off", 0.15],
  ["silent", 0.05],
];

/** @param attempt with this key: what was not looked at may be served the next time */
export function requestFate(
  { seed, failureRate }: { readonly seed: number; readonly failureRate: number },
  key: string,
  attempt: number,
): RequestFate {
  let left = chance(seed, "request", key, attempt) / Math.max(failureRate, Number.MIN_VALUE);
  for (const [fate, share] of WRONG) {
    if (left < share) {
      return fate;
    }
    left -= share;
  }
  return "served";
}

export type PayoutFate =
  | { readonly kind: "paid" }
  | { readonly kind: "failed"; readonly code: string }
  /** Paid first. */
  | { readonly kind: "returned"; readonly code: string };

const CODES = ["account_closed", "no_account", "invalid_account_number", "declined", "account_frozen"];

/** What the bank makes of a payout. A fifth of the failure rate fails. */
export function payoutFate(
  {
    seed,
    failureRate,
    returnRate,
  }: { readonly seed: number; readonly failureRate: number; readonly returnRate: number },
  id: string,
): PayoutFate {
  const code = CODES[Math.floor(chance(seed, "code", id) * CODES.length)] as string;
  const at = chance(seed, "payout", id);
  if (at < failureRate / 5) {
    return { kind: "failed", code };
  }
  return at < failureRate / 5 + returnRate ? { kind: "returned", code } : { kind: "paid" };
}

export interface NoticeFate {
  readonly delayMs: number;
  /** Undefined: it is sent once. */
  readonly againAfterMs: number | undefined;
  /** Nobody is told. */
  readonly lost: boolean;
}

/** How a webhook comes. Those that are late are so late that others overtake them. */
export function noticeFate(
  { seed, failureRate, repeatRate }: { seed: number; failureRate: number; repeatRate: number },
  eventId: string,
): NoticeFate {
  const late = chance(seed, "late", eventId) < repeatRate;
  const again = chance(seed, "again", eventId) < repeatRate;
  const waitMs = 2_000 * chance(seed, "wait", eventId);
  return {
    delayMs: late ? waitMs : 0,
    againAfterMs: again ? 2_000 * chance(seed, "again after", eventId) : undefined,
    lost: chance(seed, "lost", eventId) < failureRate / 10,
  };
}
