import type { OutgoingMessage } from "../../lib/broker/confirms.js";
import { withRoom } from "../../lib/broker/room.js";
import type { QueueFamily } from "../../lib/broker/topology.js";
import type { Part } from "../../lib/runtime/lifecycle.js";
import type { Service } from "../../lib/runtime/service_process.js";
import { sweeping } from "../../lib/runtime/sweeping.js";
import { campaignsSpendDecided } from "../contracts/campaigns_spend_decided.js";
import { collectorEvtConversion } from "../contracts/collector_evt.js";
import { payoutsPayoutRequested } from "../contracts/payouts_payout_requested.js";
import type { Destination } from "./domain/routing.js";
import { payoutOf, payoutRequestedEvent, toldEvent } from "./events.js";
import { anyOverdue, type Overdue, takeOverdue } from "./store/overdue.js";

const BATCH = 200;

/** What asks each destination, and what answers. What payouts answers is for others too, and their full queue holds nothing up here. */
const ASKED: Readonly<Record<Destination, readonly string[]>> = {
  campaigns: [collectorEvtConversion.name, campaignsSpendDecided.name],
  payouts: [payoutsPayoutRequested.name],
};

export interface SweeperOptions extends Pick<Service, "pool" | "publisher" | "logger"> {
  /** All queues of the platform; those of the destinations are looked at. */
  readonly families: readonly QueueFamily[];
  readonly resendAfterS: number;
}

/**
 * Tells events again that their destination does not answer: a restored database, or a broker that was lost, may have forgotten them.
 * Destinations know an event by its own id or reference, so it takes effect once.
 */
export const deliverySweeper = (options: SweeperOptions): Part =>
  sweeping({ of: "deliveries", batch: BATCH, sweep: () => sweep(options) }, options.logger);

/** @returns how many deliveries it took in hand */
async function sweep({ pool, publisher, families, resendAfterS, logger }: SweeperOptions): Promise<number> {
  if (!(await anyOverdue(pool))) {
    return 0;
  }
  const destinations = await withRoom(publisher, families, ASKED);
  const overdue = await takeOverdue(pool, { destinations, resendAfterS, limit: BATCH });
  // What is not sent by a process that dies here is due again later.
  await publisher.publishAll(overdue.map(messageOf));
  if (overdue.length > 0) {
    logger.warn({ events: overdue.length }, "events without an answer were told again");
  }
  return overdue.length;
}

/** A new message, so that whoever took the first is asked again; observers skip it. */
function messageOf({ destination, event, traceId }: Overdue): OutgoingMessage {
  const again = { repeat: true };
  const asks = event.type === "conversion" || event.type === "payment";
  return destination === "payouts" && asks
    ? payoutRequestedEvent(payoutOf(event), traceId, again)
    : toldEvent(event, traceId, again);
}
