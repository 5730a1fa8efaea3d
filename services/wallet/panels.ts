import { graph } from "../../lib/observability/panels.js";
import { servicePanels } from "../../lib/observability/service_panels.js";
import { WALLET_QUEUES } from "./queues.js";

const rate = (route: string, status: string) =>
  `sum(rate(payments_http_requests_total{service="wallet-service",route="${route}",status="${status}"}[$__rate_interval])) or vector(0)`;

export const walletPanels = () =>
  servicePanels({
    service: "wallet-service",
    http: true,
    queues: WALLET_QUEUES,
    schema: "wallet",
    business: [
      graph(
        "Wallets opened, credited and debited by hand",
        "ops",
        "A second, over HTTP; payments come by events.",
        {
          opened: rate("/wallets", "201"),
          credited: rate("/wallets/:id/credit", "201"),
          debited: rate("/wallets/:id/debit", "201"),
        },
      ),
    ],
  });
