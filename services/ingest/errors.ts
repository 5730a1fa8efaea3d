import { defineErrors, EXIT } from "../../lib/errors.js";

export class IngestError extends defineErrors({
  /** There is no event of that id. A message about one may have come before its event was restored. */
  INGEST_EVENT_UNKNOWN: { verdict: "retry", http: 404, exit: EXIT.usage },
  /** What was to be understood is empty. */
  INGEST_EVENT_EMPTY: { verdict: "reject", http: 422, exit: EXIT.failed },
  /** An event was tried three times and is understood by no rule. A replay of its letter tries it again. */
  INGEST_UNPROCESSED: { verdict: "reject", http: 422, exit: EXIT.failed },
  MAPPING_UNKNOWN: { verdict: "reject", http: 404, exit: EXIT.usage },
  /** It was rejected, or gave way to a better one: nothing is changed any more. */
  MAPPING_DECIDED: { verdict: "reject", http: 409, exit: EXIT.usage },
  /** No data lake is there to be polled. */
  LAKE_UNSET: { verdict: "reject", http: 500, exit: EXIT.usage },
  /** A line of a file of rates is none. */
  FX_RATE_INVALID: { verdict: "reject", http: 400, exit: EXIT.usage },
}) {}
