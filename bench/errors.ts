import { defineErrors, EXIT } from "../lib/errors.js";

/** The codes of the bench. */
export class BenchError extends defineErrors({
  /** The bench will not measure here: the disk is too small, the server too careless, the setting none of its. */
  BENCH_REFUSED: { verdict: "reject", http: 500, exit: EXIT.failed },
  /** What the bench measured did not do what it was to do, so there is no figure. */
  BENCH_FAILED: { verdict: "reject", http: 500, exit: EXIT.failed },
}) {}
