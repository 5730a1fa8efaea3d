import { counter } from "../../lib/observability/registry.js";

export const fraudMetrics = {
  verdicts: counter("fraud_verdicts_total", "Payments checked, by verdict: APPROVED or DECLINED", "status"),
};
