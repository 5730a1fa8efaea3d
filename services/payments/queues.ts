import { serviceQueues } from "../../lib/broker/topology.js";
import { paymentsChecked } from "../contracts/payments_checked.js";
import { walletRefunded } from "../contracts/wallet_refunded.js";
import { walletResponse } from "../contracts/wallet_response.js";

export const PAYMENTS_QUEUES = serviceQueues("payments", {
  service: "payment-service",
  events: [paymentsChecked.name, walletResponse.name, walletRefunded.name],
});
