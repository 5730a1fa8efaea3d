import { queueFamily } from "../lib/broker/topology.js";

/** The pipeline's queues. */
export const ETL_QUEUES = queueFamily("etl_queue");
