import { serviceQueues } from "../../lib/broker/topology.js";
import { TOLD } from "./domain/fact.js";

export const REPORTS_QUEUES = serviceQueues("reports", {
  service: "report-service",
  events: TOLD.map(({ event }) => event.name),
});
