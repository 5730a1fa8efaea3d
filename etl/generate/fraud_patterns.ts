import type { RowBuffer } from "./row_buffer.js";

/** What fraud there is, and how many transactions an episode of it has. Amounts overlap with legitimate ones on purpose. */
export const FRAUD_PATTERNS = [
  /** Stolen cards tried one after another with small sums at one shop. */
  { class: "card_testing", from: 6, to: 20 },
  /** One account emptied within minutes, at shops its owner does not know. */
  { class: "account_takeover", from: 3, to: 8 },
  /** A shop that charges many cards just under a round sum. */
  { class: "collusive_merchant", from: 10, to: 30 },
] as const;

/** Indices in FRAUD_PATTERNS. */
export const CARD_TESTING = 0;
export const TAKEOVER = 1;
export const COLLUSION = 2;

/** What an episode's rows look like. */
export interface Deeds {
  /** Share of the rows during an episode that belong to it: the fewer, the longer it takes. */
  readonly density: number;
  /** @param row the episode's first, still as an honest payment. */
  begin(pattern: number, row: RowBuffer): void;
  /** Turns an honest payment into a part of the episode. @param left rows to come. */
  commit(row: RowBuffer, left: number): void;
}
