import type { Logger } from "../observability/log.js";
import { pause } from "../timing.js";
import { forward } from "./forward.js";
import type { InFlight, Receipt } from "./in_flight.js";
import type { Publisher } from "./publisher.js";
import type { Settlement } from "./settlement.js";
import { declareFamily, type QueueFamily } from "./topology.js";

/** Before a message goes back because no copy can be made of it: it comes again at once, and each return counts. */
const REJECT_PAUSE_MS = 1_000;

export interface Means {
  readonly family: QueueFamily;
  readonly publisher: Publisher;
  readonly logger: Logger;
  readonly stopping: AbortSignal;
  /** Has no more messages come until the broker takes ours. */
  readonly rest: () => Promise<void>;
}

/**
 * Does with a message as was decided. The original is acked after its copy is safe, so a death in between makes two of it.
 *
 * @param otherwise what becomes of the original when the broker takes no copy.
 * @returns whether it came to that fate.
 */
export async function carryOut(
  job: InFlight,
  settlement: Settlement,
  otherwise: "keep" | "give back",
  means: Means,
): Promise<boolean> {
  const [receipt] = job.receipts;
  // The broker's again, or a copy of it is on its way: it will come.
  if (receipt === undefined) {
    return false;
  }
  const done = settlement.kind === "ack" ? "forwarded" : await copy(job, receipt, settlement, means);
  if (done !== "forwarded") {
    if (otherwise === "keep" || receipt.link.over.aborted) {
      return false;
    }
    if (done === "impossible") {
      await pause(REJECT_PAUSE_MS, means.stopping);
    } else if (!means.stopping.aborted) {
      await means.rest();
    }
  }
  // Copies that came meanwhile, too.
  const { receipts } = job;
  for (const each of receipts) {
    if (done === "forwarded") {
      each.channel.ack(each.message);
    } else if (done === "impossible") {
      each.channel.reject(each.message, true);
    } else {
      giveBack(each);
    }
  }
  job.settled(receipts);
  return done === "forwarded";
}

function copy(
  job: InFlight,
  receipt: Receipt,
  settlement: Extract<Settlement, { kind: "forward" }>,
  means: Means,
) {
  const { publisher, logger, stopping, family } = means;
  const halt = AbortSignal.any([receipt.link.over, stopping, job.delivery.overdue]);
  const redeclare = () => declareFamily(receipt.channel, family);
  return forward({ message: receipt.message, settlement, publisher, logger, halt, redeclare });
}

/** Without a copy, and so without an end to its count: RabbitMQ 4.3 counts no nack, others count any return. */
function giveBack({ link, channel, message }: Receipt): void {
  if (!link.over.aborted) {
    channel.nack(message, false, true);
  }
}
