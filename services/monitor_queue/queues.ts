import { queueFamily } from "../../lib/broker/topology.js";
import { REPORTS_QUEUE } from "../contracts/report.js";

/**
 * Without a ladder: a report that is tried again stays in the hands of who tries, so that the sweep can see it; what is handed back goes
 * to the end of the queue, where a marker comes behind it.
 */
export const REPORTS = queueFamily(REPORTS_QUEUE, { ladderMs: [], deadLetter: "monitor-queue.dlq" });
