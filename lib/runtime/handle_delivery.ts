import type { Delivery, MessageHeaders, Outcome, Settled } from "../broker/delivery.js";
import { tidyReason } from "../broker/headers.js";
import { adviceOf, codeOf } from "../errors.js";
import type { Logger } from "../observability/log.js";
import { verdictOf } from "../retry.js";
import { fullJitterMs, type pause } from "../timing.js";
import { type Breaker, type Server, serverAway } from "./outage.js";

/** When the servers answer and the work still cannot go on (the broker is away, the disk is full), it is tried again. */
const OUTAGE_BACKOFF = { baseMs: 250, capMs: 10_000 };

/** What a handler is told besides its message. */
export interface Circumstances {
  readonly headers: MessageHeaders;
  readonly logger: Logger;
  /** An earlier try may have got somewhere: the message came before, or was interrupted by an outage. */
  readonly again: boolean;
}

/** Why a message is among the dead letters. */
export interface Death {
  readonly code: string;
  readonly reason: string;
  readonly attempts: number;
  readonly messageId: string | undefined;
}

/** What a module does with the messages of a queue. */
export interface MessageHandler<Message, Follower = never> {
  /** @throws PlatformError MESSAGE_*, for what is not a message. */
  readonly parse: (body: Buffer) => Message;
  /** What the message is about, for log lines. */
  readonly about: (message: Message) => object;
  /** The log lines of this message carry its trace. */
  readonly logger?: (message: Message, logger: Logger) => Logger;
  /** Does the work in a transaction of its own, and returns after the commit what is to be published. */
  readonly work: (message: Message, circumstances: Circumstances) => Promise<readonly Follower[]>;
  /** Confirmed by the broker when it resolves. */
  readonly publish: (follower: Follower) => Promise<void>;
  /** Called when all that follows is published. */
  readonly published?: (message: Message) => Promise<void>;
  /** Called when the message is among the dead letters; not of one that the broker itself put there. */
  readonly deadLettered?: (message: Message, death: Death) => Promise<void>;
}

/** What the process gives: a breaker for each server, time, and a record of what was waited for. */
export interface DeliveryPorts {
  readonly logger: Logger;
  readonly stopping: AbortSignal;
  readonly breakers: Readonly<Record<Server, Breaker>>;
  readonly pause: typeof pause;
  readonly countOutage: (code: string) => void;
}

/**
 * Takes one message from its bytes to its outcome. A server that is away is waited for and costs no attempt; everything else
 * goes by the verdict of the error's code. Pure but for its ports, so that the simulation runs it as it is.
 */
export async function handleDelivery<Message, Follower>(
  handler: MessageHandler<Message, Follower>,
  ports: DeliveryPorts,
  delivery: Delivery,
): Promise<Outcome> {
  const { breakers, stopping } = ports;
  const { overdue, lost, headers } = delivery;
  let { logger } = ports;
  let about = {};
  let followers: readonly Follower[] | undefined;
  let sent = 0;
  for (let tries = 0; ; tries++) {
    try {
      const message = handler.parse(delivery.body);
      logger = handler.logger?.(message, ports.logger) ?? ports.logger;
      about = handler.about(message);
      // Work that has been committed is not done again; only its messages wait.
      if (followers === undefined) {
        if (breakers.PostgreSQL.open) {
          await breakers.PostgreSQL.recovered(overdue);
        }
        const again = tries > 0 || delivery.redelivered || delivery.attempt > 1;
        followers = await handler.work(message, { headers, logger, again });
      }
      for (; sent < followers.length; sent++) {
        await handler.publish(followers[sent] as Follower);
      }
      await handler.published?.(message);
      return { kind: "done" };
    } catch (error) {
      const code = codeOf(error) ?? "INTERNAL";
      const verdict = verdictOf(error);
      if (verdict !== "outage") {
        const reason = adviceOf(error);
        logger.error({ code, verdict, messageId: delivery.messageId, ...about, err: error }, reason);
        return { kind: verdict, code, reason };
      }
      // We wait without end, but the broker takes back what is held for too long.
      if (stopping.aborted || overdue.aborted || lost.aborted) {
        return { kind: "release" };
      }
      const server = serverAway(code);
      logger.warn({ code, server, ...about }, `waiting for ${server}: ${breakers[server].reasonOf(error)}`);
      ports.countOutage(code);
      await breakers[server].recovered(overdue);
      await ports.pause(fullJitterMs(tries, OUTAGE_BACKOFF), stopping);
    }
  }
}

/** Tells a handler of a dead letter, unless its body is no message. */
export async function tellDeath<Message, Follower>(
  handler: MessageHandler<Message, Follower>,
  { delivery, outcome, deadLettered }: Settled,
): Promise<void> {
  if (!deadLettered || (outcome.kind !== "retry" && outcome.kind !== "reject")) {
    return;
  }
  let message: Message;
  try {
    message = handler.parse(delivery.body);
  } catch {
    return;
  }
  const { code, reason } = outcome;
  const { attempt: attempts, messageId } = delivery;
  await handler.deadLettered?.(message, { code, reason: tidyReason(reason), attempts, messageId });
}
