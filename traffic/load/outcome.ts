/**
 * What is known of a request. `unknown`: it may have taken effect or not, so it is asked again; `refused`: it certainly has not.
 */
export type Outcome = "created" | "refused" | "unknown";

/** Answers after which the same request may still be found to have taken effect: too slow, the same in flight. */
const UNDECIDED = [408, 409];

/** @param code of the problem, where the answer is one. */
export function outcomeOf(status: number, code: string | undefined): Outcome {
  if (status >= 200 && status < 300) {
    return "created";
  }
  // Refused before its body was read.
  if (code === "OVERLOADED") {
    return "refused";
  }
  return status >= 400 && status < 500 && !UNDECIDED.includes(status) ? "refused" : "unknown";
}
