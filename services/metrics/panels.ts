import { graph, rate, stat } from "../../lib/observability/panels.js";
import { servicePanels } from "../../lib/observability/service_panels.js";

const hour = (metric: string) => `sum(increase(${metric}[1h]))`;
const share = (of: string, all: string) => `${of} / clamp_min(${all}, 1e-9)`;

export const metricsPanels = () =>
  servicePanels({
    service: "metrics-service",
    business: [
      stat("Payments created", "short", "Within the last hour.", hour("payment_created_total"), { width: 6 }),
      stat(
        "Approval rate",
        "percentunit",
        "Share of the payments decided within the last hour that were debited.",
        share(
          hour("payment_approved_total"),
          `${hour("payment_approved_total")} + ${hour("payment_declined_total")}`,
        ),
        { width: 6 },
      ),
      graph(
        "Payments a second",
        "ops",
        "Created, and what became of them. In a quiet system created = approved + declined.",
        {
          created: rate("payment_created_total"),
          approved: rate("payment_approved_total"),
          declined: rate("payment_declined_total"),
        },
      ),
      graph(
        "Debits and refunds a second",
        "ops",
        "Asked of wallets, made and refused; refunds that were made.",
        {
          requested: rate("wallet_debit_requested_total"),
          approved: rate("wallet_debit_approved_total"),
          declined: rate("wallet_debit_declined_total"),
          refunded: rate("wallet_refunded_total"),
        },
      ),
    ],
  });
