import { queueFamily } from "../../../lib/broker/topology.js";

export const DESK_QUEUES = queueFamily("desk_queue");
