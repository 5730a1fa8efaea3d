import type { Verdict } from "./judge.js";

/** Events that must agree before a mapping may become a rule. */
const AGREEING = 20;
/** Then nobody asks a model any more: a person decides. */
const MAX_CONFIRMATIONS = 6;

export interface Standing {
  readonly votes: number;
  /** Of the best other mapping of the same events. */
  readonly rivalVotes: number;
  readonly confirmations: number;
  /** Events that it read. */
  readonly agreeing: number;
  readonly verdict: Verdict;
}

/**
 * What becomes of a candidate: `wait` for more events, `confirm` by another call, `promote`, or leave it to a `person`.
 *
 * A model that errs once in five gives one and the same error twice in a row less than once in a hundred: a lead of two calls is
 * enough where events speak for every field, of three where only the model does. For a unit no number of calls is enough.
 */
export function promotionOf(standing: Standing): "wait" | "confirm" | "promote" | "person" {
  const { votes, rivalVotes, confirmations, agreeing, verdict } = standing;
  if (agreeing < AGREEING) {
    return "wait";
  }
  if (!verdict.unitProven) {
    return "person";
  }
  if (votes - rivalVotes >= (verdict.doubts.length === 0 ? 2 : 3)) {
    return "promote";
  }
  return confirmations < MAX_CONFIRMATIONS ? "confirm" : "person";
}
