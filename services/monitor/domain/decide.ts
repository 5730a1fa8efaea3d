import type { DueWindow, State } from "./window.js";

export interface Decision {
  readonly windowUuid: string;
  readonly state: Extract<State, "CLOSED" | "ALERT">;
  readonly received: number;
  readonly errors: number;
}

/** What a window has come to once nothing of it is on its way any more: reports lack, or they do not. What they say has no part in it. */
export function decide({ windowUuid, due, seqs, errors }: DueWindow): Decision {
  const missing = missingOf({ due, seqs }).length;
  return { windowUuid, state: missing === 0 ? "CLOSED" : "ALERT", received: due - missing, errors };
}

/** Which reports lack, in their order. */
export function missingOf({ due, seqs }: Pick<DueWindow, "due" | "seqs">): readonly number[] {
  const came = new Set(seqs);
  return Array.from({ length: due }, (_, i) => i + 1).filter((seq) => !came.has(seq));
}
