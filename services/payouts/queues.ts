import { serviceQueues } from "../../lib/broker/topology.js";
import { payoutsPayoutRequested } from "../contracts/payouts_payout_requested.js";

export const PAYOUTS_QUEUES = serviceQueues("payouts", {
  service: "payout-service",
  events: [payoutsPayoutRequested.name],
});
