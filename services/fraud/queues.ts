import { serviceQueues } from "../../lib/broker/topology.js";
import { paymentsCreated } from "../contracts/payments_created.js";

export const FRAUD_QUEUES = serviceQueues("fraud", {
  service: "fraud-service",
  events: [paymentsCreated.name],
});
