import { serviceQueues } from "../../lib/broker/topology.js";
import { ingestRetryRequested } from "../contracts/ingest_retry_requested.js";

export const INGEST_QUEUES = serviceQueues("ingest", {
  service: "ingest-service",
  events: [ingestRetryRequested.name],
});
