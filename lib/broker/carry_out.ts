import { messageOf, PlatformError } from "../errors.js";
import type { Logger } from "../observability/log.js";
import { fullJitterMs, pause } from "../timing.js";
import type { InFlight, Receipt } from "./in_flight.js";
import { keptProperties } from "./properties.js";
import type { Publisher } from "./publisher.js";
import type { Settlement } from "./settlement.js";
import { declareFamily, nameOf, type QueueFamily } from "./topology.js";

/** Before a message goes back because no copy can be made of it: it comes again at once, and each return counts. */
export const REJECT_PAUSE_MS = 1_000;
const FORWARD_BACKOFF = { baseMs: 500, capMs: 30_000 };

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
  const done = settlement.kind === "ack" ? "forwarded" : await forwardOf(job, receipt, settlement, means);
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

function forwardOf(
  { delivery }: InFlight,
  receipt: Receipt,
  settlement: Extract<Settlement, { kind: "forward" }>,
  means: Means,
) {
  return forward(
    receipt,
    settlement,
    means,
    AbortSignal.any([receipt.link.over, means.stopping, delivery.overdue]),
  );
}

/**
 * Publishes a copy to the ladder or the dead-letter queue: the body, its producer's properties, and the headers of its settlement.
 * While the broker does not take it, the original stays unacked: no message is lost, nothing spins, and since it fills its place
 * in the prefetch, consuming slows down by itself. `impossible`: no copy can be made of it, which repeating won't change; the
 * delivery limit will deal with it.
 *
 * @param halt the message is lost to us, was held for too long, or we are to stop: it is tried no more than once.
 */
export async function forward(
  { channel, message }: Pick<Receipt, "channel" | "message">,
  { to, headers }: Extract<Settlement, { kind: "forward" }>,
  { publisher, logger, family }: Pick<Means, "publisher" | "logger" | "family">,
  halt: AbortSignal,
): Promise<"forwarded" | "given up" | "impossible"> {
  const properties = { ...keptProperties(message.properties), headers };
  for (let failures = 0; ; failures += 1) {
    try {
      await publisher.publish(to, message.content, properties);
      return "forwarded";
    } catch (error) {
      const details = { queue: nameOf(to), messageId: properties.messageId, failures, err: error };
      logger.error(details, `cannot forward: ${messageOf(error)}`);
      if (!(error instanceof PlatformError)) {
        return "impossible";
      }
      if (halt.aborted) {
        return "given up";
      }
      if (error.code === "PUBLISH_UNROUTABLE") {
        await declareFamily(channel, family); // Somebody deleted a queue of it.
      }
      await pause(fullJitterMs(failures, FORWARD_BACKOFF), halt);
    }
  }
}

/** Without a copy, and so without an end to its count: RabbitMQ 4.3 counts no nack, others count any return. */
function giveBack({ link, channel, message }: Receipt): void {
  if (!link.over.aborted) {
    channel.nack(message, false, true);
  }
}
