import type { Settled } from "../broker/delivery.js";
import type { CodeLabel } from "./code_label.js";
import type { messageMetrics } from "./message_metrics.js";
import type { Instruments } from "./registry.js";

/** Counts messages that failed, by what became of them. */
export function countSettlement(
  messages: Pick<Instruments<typeof messageMetrics>, "retried" | "deadLettered">,
  codeLabel: CodeLabel,
  { outcome, deadLettered }: Pick<Settled, "outcome" | "deadLettered">,
): void {
  if (outcome.kind !== "retry" && outcome.kind !== "reject") {
    return;
  }
  const metric = deadLettered ? messages.deadLettered : messages.retried;
  metric.inc({ code: codeLabel(outcome.code) });
}
