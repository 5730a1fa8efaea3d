import { randomUUID } from "node:crypto";
import type { ConsumeMessage } from "amqplib";
import { messageOf, PlatformError } from "../errors.js";
import type { Logger } from "../observability/log.js";
import { fullJitterMs, pause } from "../timing.js";
import type { OutgoingMessage } from "./confirms.js";
import type { InFlight, Receipt } from "./in_flight.js";
import { keptProperties } from "./properties.js";
import type { Publisher } from "./publisher.js";
import type { Settlement } from "./settlement.js";
import { nameOf } from "./topology.js";

/** Before a message goes back because no copy can be made of it: it comes again at once, and each return counts. */
export const REJECT_PAUSE_MS = 1_000;
const FORWARD_BACKOFF = { baseMs: 500, capMs: 30_000 };

type Forward = Extract<Settlement, { kind: "forward" }>;

export interface Means {
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

async function forwardOf(
  { delivery }: InFlight,
  { link, message }: Receipt,
  settlement: Forward,
  means: Means,
): Promise<Forwarded> {
  const halt = AbortSignal.any([link.over, means.stopping, delivery.overdue]);
  let fate: Forwarded = "given up";
  await forwardAll([{ message, settlement }], means, halt, (_, forwarded) => {
    fate = forwarded;
  });
  return fate;
}

/** A message, and the settlement that has it forwarded. */
export interface Copy {
  readonly message: ConsumeMessage;
  readonly settlement: Forward;
}

/** `impossible`: no copy can be made of it, which repeating won't change; the delivery limit will deal with it. */
export type Forwarded = "forwarded" | "given up" | "impossible";

/**
 * Publishes copies to the ladder or the dead-letter queue: the body, its producer's properties, and the headers of its settlement.
 * While the broker does not take one, the original stays unacked: no message is lost, nothing spins, and since it fills its place
 * in the prefetch, consuming slows down by itself.
 *
 * @param halt the messages are lost to us, were held for too long, or we are to stop: they are tried no more than once.
 * @param settle told of each by its place, as soon as it is known.
 */
export async function forwardAll(
  copies: readonly Copy[],
  { publisher, logger }: Pick<Means, "publisher" | "logger">,
  halt: AbortSignal,
  settle: (place: number, forwarded: Forwarded) => void,
): Promise<void> {
  let places: readonly number[] = [...copies.keys()];
  for (let failures = 0; places.length > 0; failures += 1) {
    const results = await publisher.publishEach(places.map((place) => outgoing(copies[place] as Copy)));
    const left: number[] = [];
    for (const [i, error] of results.entries()) {
      const place = places[i] as number;
      if (error === undefined) {
        settle(place, "forwarded");
        continue;
      }
      const { message, settlement } = copies[place] as Copy;
      const { messageId } = message.properties;
      const details = { queue: nameOf(settlement.to), messageId, failures, err: error };
      logger.error(details, `cannot forward: ${messageOf(error)}`);
      if (!(error instanceof PlatformError)) {
        settle(place, "impossible");
      } else if (halt.aborted) {
        settle(place, "given up");
      } else {
        left.push(place);
      }
    }
    places = left;
    if (places.length > 0) {
      await pause(fullJitterMs(failures, FORWARD_BACKOFF), halt);
    }
  }
}

function outgoing({ message, settlement: { to, headers } }: Copy): OutgoingMessage {
  const { messageId = randomUUID(), ...kept } = keptProperties(message.properties);
  return { to, body: message.content, properties: { ...kept, messageId, headers } };
}

/** Without a copy, and so without an end to its count: RabbitMQ 4.3 counts no nack, others count any return. */
function giveBack({ link, channel, message }: Receipt): void {
  if (!link.over.aborted) {
    channel.nack(message, false, true);
  }
}
