import { defineErrors, EXIT } from "../lib/errors.js";

/** The pipeline's codes. */
export class EtlError extends defineErrors({
  /** A run was asked for that cannot exist (rows < 0, from ≥ to, rate outside 0..1, …). */
  SPEC_INVALID: { verdict: "reject", http: 400, exit: EXIT.usage },
  /** The named run is not in the ledger. */
  RUN_UNKNOWN: { verdict: "reject", http: 404, exit: EXIT.usage },
  /** A message is of a run of another database, which shares the vhost: a worker of its database may take it. */
  RUN_ELSEWHERE: { verdict: "retry", http: 409, exit: EXIT.failed },
  /** The run is done: there is nothing to cancel. */
  RUN_OVER: { verdict: "reject", http: 409, exit: EXIT.usage },
  /** A run ended, but not as its spec says, or does not go on. */
  RUN_FAILED: { verdict: "retry", http: 500, exit: EXIT.failed },
  /** The run was made by another version of the generator. */
  GENERATOR_MISMATCH: { verdict: "reject", http: 409, exit: EXIT.usage },
  /** The run has no such chunk. */
  CHUNK_UNKNOWN: { verdict: "reject", http: 404, exit: EXIT.failed },
  /** A chunk's rows do not add up to what was staged. */
  CHUNK_COUNT_MISMATCH: { verdict: "reject", http: 500, exit: EXIT.failed },
  /** The month is not published, or not one of the run's. */
  MONTH_UNKNOWN: { verdict: "reject", http: 404, exit: EXIT.failed },
  /** A published month's leaf, or txn itself, is not as runs left it: moved, changed, or holding what no run made. */
  LEAF_CHANGED: { verdict: "reject", http: 409, exit: EXIT.failed },
  /** Readers keep a month locked. */
  MONTH_LOCKED: { verdict: "retry", http: 409, exit: EXIT.failed },
  /** The dimensions (accounts, merchants, terminals) are not there or not those of this code. */
  NOT_SEEDED: { verdict: "reject", http: 503, exit: EXIT.failed },
  /** The run is not done yet, or was cancelled. */
  RUN_UNFINISHED: { verdict: "reject", http: 409, exit: EXIT.usage },
  /** A run has too few fraudulent rows for `payments audit-leak` to say how they can be told. */
  FRAUD_TOO_RARE: { verdict: "reject", http: 409, exit: EXIT.failed },
  /** A run has too few honest rows for the same. */
  HONEST_TOO_RARE: { verdict: "reject", http: 409, exit: EXIT.failed },
  /** `payments audit-leak` found a column that tells too much, a history that tells too little, or a month without labels. */
  LEAK_FOUND: { verdict: "reject", http: 500, exit: EXIT.mismatch },
  /** `payments verify` found a difference. */
  VERIFY_MISMATCH: { verdict: "reject", http: 500, exit: EXIT.mismatch },
}) {}
