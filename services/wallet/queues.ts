import { serviceQueues } from "../../lib/broker/topology.js";
import { walletDebitRequested } from "../contracts/wallet_debit_requested.js";
import { walletRefundRequested } from "../contracts/wallet_refund_requested.js";

export const WALLET_QUEUES = serviceQueues("wallet", {
  service: "wallet-service",
  events: [walletDebitRequested.name, walletRefundRequested.name],
});
