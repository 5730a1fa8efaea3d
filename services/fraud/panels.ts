import { graph } from "../../lib/observability/panels.js";
import { servicePanels } from "../../lib/observability/service_panels.js";
import { FRAUD_QUEUES } from "./queues.js";

const verdicts = "rate(fraud_verdicts_total[$__rate_interval])";

export const fraudPanels = () =>
  servicePanels({
    service: "fraud-service",
    queues: FRAUD_QUEUES,
    business: [
      graph(
        "Fraud rate",
        "percentunit",
        "Share of checked payments that were declined for fraud.",
        {
          fraud: `sum(rate(fraud_verdicts_total{status="DECLINED"}[$__rate_interval])) / clamp_min(sum(${verdicts}), 1e-9)`,
        },
        { max: 1 },
      ),
      graph("Checked a second", "ops", "By verdict; one that is repeated is counted again.", {
        "{{status}}": `sum by (status) (${verdicts})`,
      }),
    ],
  });
