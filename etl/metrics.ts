import { counter, gauge, histogram } from "../lib/observability/registry.js";

/** What the pipeline counts of its rows and steps. */
export const etlMetrics = {
  rowsGenerated: counter(
    "payments_rows_generated_total",
    "Rows made by the generator, also those of a chunk that was rolled back",
  ),
  rowsStaged: counter("payments_rows_staged_total", "Rows that stage has committed"),
  rowsAccepted: counter("payments_rows_accepted_total", "Rows that clean has accepted"),
  rowsRepaired: counter("payments_rows_repaired_total", "Accepted rows that were repaired"),
  rowsRejected: counter("payments_rows_rejected_total", "Rows moved into txn_reject", "reason"),
  copyBytes: counter("payments_copy_bytes_total", "Bytes sent by COPY and committed"),
  stepSeconds: histogram(
    "payments_step_duration_seconds",
    "From taking a message to its outcome, waiting for a server that is away included",
    // A chunk of the default size takes one to two seconds, indexing a large month a minute.
    { labels: ["step", "outcome"], buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120] },
  ),
  inFlight: gauge("payments_messages_in_flight", "Messages being worked on", "step"),
};
