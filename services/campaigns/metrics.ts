import { counter } from "../../lib/observability/registry.js";

export const campaignsMetrics = {
  spends: counter(
    "campaigns_spends_total",
    "Conversions decided, by outcome: spent, over_budget, not_active or wrong_currency",
    "outcome",
  ),
};
