/** One thing that is not as it should be, and where. */
export interface Mismatch {
  readonly check: CheckName;
  readonly what: string;
  readonly month?: string;
  readonly run?: string;
  readonly chunk?: number;
  readonly class?: string;
  readonly expected?: string | number;
  readonly found?: string | number;
}

export const CHECKS = {
  ledger: "runs, months and chunks of the ledger add up to one another",
  answer_key: "every generated row accepted or rejected as the answer key says, per chunk and class",
  content: "rows and digest of every chunk and month as the generator predicted",
  rejects: "txn_reject holds every rejected row, per chunk and reason",
  references: "no orphan account, merchant, terminal or refunded purchase",
  aggregates: "every aggregate adds up to txn, to the cent",
  structure:
    "schema as migrations made it, finished months attached with all indexes, nothing of no month, nothing left in staging",
} as const;

export type CheckName = keyof typeof CHECKS;

export interface VerifyReport {
  readonly ok: boolean;
  readonly runs: readonly string[];
  /** Not finished: what they have cleaned so far is checked, what is still to come is not. */
  readonly unfinishedRuns: readonly string[];
  readonly months: readonly MonthReport[];
  readonly rows: number;
  readonly differences: readonly Mismatch[];
}

export interface MonthReport {
  readonly month: string;
  readonly rows: number;
  /** Both lanes, in hexadecimal: equal digests mean equal rows. */
  readonly digest: string;
}

/** Both lanes of a digest as one word to print and compare; lanes are sums, so they are cut to 64 bits. */
export function digestWord(a: bigint, b: bigint): string {
  const word = (lane: bigint) => (lane & 0xffff_ffff_ffff_ffffn).toString(16).padStart(16, "0");
  return word(a) + word(b);
}
