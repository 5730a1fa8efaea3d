import type { ConsumeMessage } from "amqplib";
import { messageOf, PlatformError } from "../errors.js";
import type { Logger } from "../observability/log.js";
import { fullJitterMs, pause } from "../timing.js";
import { keptProperties } from "./properties.js";
import type { Publisher } from "./publisher.js";
import type { Settlement } from "./settlement.js";
import { nameOf } from "./topology.js";

const AGAIN = { baseMs: 500, capMs: 30_000 };

interface Forwarding {
  readonly message: ConsumeMessage;
  readonly settlement: Extract<Settlement, { kind: "forward" }>;
  readonly publisher: Publisher;
  readonly logger: Logger;
  /** The message is lost to us, has been held for too long, or we are to stop: it is tried no more than once. */
  readonly halt: AbortSignal;
  /** Puts back a queue somebody deleted. */
  readonly redeclare: () => Promise<void>;
}

/**
 * Publishes a copy of a message to the ladder or the dead-letter queue: its body, its producer's properties, and the headers of
 * its settlement. While the broker does not take it, the original stays unacked: no message is lost, nothing spins,
 * and since it fills its place in the prefetch, consuming slows down by itself. `impossible`: no copy can be made of it, which
 * repeating won't change; the delivery limit will deal with it.
 */
export async function forward(work: Forwarding): Promise<"forwarded" | "given up" | "impossible"> {
  const { message, settlement, publisher, logger, halt } = work;
  const properties = { ...keptProperties(message.properties), headers: settlement.headers };
  for (let failures = 0; ; failures += 1) {
    try {
      await publisher.publish(settlement.to, message.content, properties);
      return "forwarded";
    } catch (error) {
      logger.error(
        { queue: nameOf(settlement.to), messageId: properties.messageId, failures, err: error },
        `cannot forward: ${messageOf(error)}`,
      );
      if (!(error instanceof PlatformError)) {
        return "impossible";
      }
      if (halt.aborted) {
        return "given up";
      }
      if (error.code === "PUBLISH_UNROUTABLE") {
        await work.redeclare();
      }
      await pause(fullJitterMs(failures, AGAIN), halt);
    }
  }
}
