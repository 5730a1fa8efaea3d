import type { RowBuffer } from "./row_buffer.js";

/** What fraud there is, and how many transactions an episode of it has. Each difficulty has its own way to do it. */
export const FRAUD_PATTERNS = [
  /** Stolen cards tried one after another: easy with small sums at one shop; disguised at a few, at its prices or somewhat below. */
  { class: "card_testing", from: 6, to: 20 },
  /** One account emptied: easy with large sums online, anywhere; disguised at shops of its owner's country, within some 130 rows of the chunk. */
  { class: "account_takeover", from: 3, to: 8 },
  /** Many cards charged: easy by one shop, just under a round sum; disguised by a few together, at their prices. */
  { class: "collusive_merchant", from: 10, to: 30 },
] as const;

/** Indices in FRAUD_PATTERNS. */
export const CARD_TESTING = 0;
export const TAKEOVER = 1;
export const COLLUSION = 2;

/** How fraud of one difficulty is done: what an episode's rows look like. */
export interface FraudScheme {
  /** Share of the rows during an episode that belong to it: the fewer, the longer it takes. */
  readonly density: number;
  /** Starts an episode. @param row its first, still as an honest payment. */
  start(pattern: number, row: RowBuffer): void;
  /** Turns an honest payment into a part of the episode. @param left rows to come. */
  apply(row: RowBuffer, left: number): void;
}
