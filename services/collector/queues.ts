import { serviceQueues } from "../../lib/broker/topology.js";
import { campaignsSpendDecided } from "../contracts/campaigns_spend_decided.js";
import {
  paymentsEvtCompleted,
  paymentsEvtFailed,
  paymentsEvtPending,
  paymentsEvtReturned,
} from "../contracts/payments_evt.js";

/** What payouts tells of a Pago, and what that means for whoever asked for it. */
export const PAGO_OUTCOMES = [
  [paymentsEvtPending, "pending"],
  [paymentsEvtCompleted, "completed"],
  [paymentsEvtFailed, "failed"],
  [paymentsEvtReturned, "returned"],
] as const;

export const COLLECTOR_QUEUES = serviceQueues("collector", {
  service: "collector-service",
  events: [campaignsSpendDecided.name, ...PAGO_OUTCOMES.map(([{ name }]) => name)],
});
