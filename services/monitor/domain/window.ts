/** OPEN and UNKNOWN are not decided yet: of the second it takes long to know. RESOLVED_LATE: an ALERT all of whose reports came later. */
export const STATES = ["OPEN", "UNKNOWN", "CLOSED", "ALERT", "RESOLVED_LATE"] as const;
export type State = (typeof STATES)[number];

/** A window whose time is over, and all that has come of it. */
export interface DueWindow {
  readonly windowUuid: string;
  /** Reports that were to come: less than its schedule has where its sender ended before. */
  readonly due: number;
  /** Of those that came, each once; what came beyond is of no interest. */
  readonly seqs: readonly number[];
  /** Of those, the ones that told of an error: they came all the same. */
  readonly errors: number;
}
