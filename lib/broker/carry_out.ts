import type { Logger } from "../observability/log.js";
import { pause } from "../timing.js";
import type { Disposition } from "./disposition.js";
import { forward } from "./forward.js";
import type { InHand, Lease } from "./in_hand.js";
import type { Publisher } from "./publisher.js";
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
  job: InHand,
  fate: Disposition,
  otherwise: "keep" | "give back",
  means: Means,
): Promise<boolean> {
  const [lease] = job.leases;
  // The broker's again, or a copy of it is on its way: it will come.
  if (lease === undefined) {
    return false;
  }
  const done = fate.kind === "ack" ? "forwarded" : await copy(job, lease, fate, means);
  if (done !== "forwarded") {
    if (otherwise === "keep" || lease.link.over.aborted) {
      return false;
    }
    if (done === "impossible") {
      await pause(REJECT_PAUSE_MS, means.stopping);
    } else if (!means.stopping.aborted) {
      await means.rest();
    }
  }
  // Copies that came meanwhile, too.
  const { leases } = job;
  for (const each of leases) {
    if (done === "forwarded") {
      each.channel.ack(each.message);
    } else if (done === "impossible") {
      each.channel.reject(each.message, true);
    } else {
      giveBack(each);
    }
  }
  job.settled(leases);
  return done === "forwarded";
}

function copy(job: InHand, lease: Lease, fate: Extract<Disposition, { kind: "forward" }>, means: Means) {
  const { publisher, logger, stopping, family } = means;
  const halt = AbortSignal.any([lease.link.over, stopping, job.delivery.overdue]);
  const redeclare = () => declareFamily(lease.channel, family);
  return forward({ message: lease.message, fate, publisher, logger, halt, redeclare });
}

/** Without a copy, and so without an end to its count: RabbitMQ 4.3 counts no nack, others count any return. */
function giveBack({ link, channel, message }: Lease): void {
  if (!link.over.aborted) {
    channel.nack(message, false, true);
  }
}
