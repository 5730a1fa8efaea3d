import { defineErrors, EXIT } from "../lib/errors.js";

export class TrafficError extends defineErrors({
  /** Nothing answers where the requests are to go. */
  TARGET_UNREACHABLE: { verdict: "retry", http: 503, exit: EXIT.failed },
  /** The target lacks what the traffic builds on: customers with wallets. */
  TARGET_UNPREPARED: { verdict: "reject", http: 409, exit: EXIT.failed },
}) {}
