import { Publisher } from "../../lib/broker/publisher.js";
import { ETL_QUEUES } from "../../lib/broker/topology.js";
import { formatMessage, type OutMessage } from "../message.js";
import type { CommandContext } from "./common.js";

/** Runs `work` with a function that publishes to the work queue; fails at once when there is no broker. */
export async function withBroker<T>(
  context: CommandContext,
  work: (send: (message: OutMessage) => Promise<void>) => Promise<T>,
): Promise<T> {
  const publisher = new Publisher({
    address: context.settings,
    name: "payments-cli",
    // That a short-lived command is connected is no news.
    logger: context.logger.child({}, { level: "warn" }),
    patience: "once",
    families: [ETL_QUEUES],
  });
  try {
    await publisher.up();
    return await work((message) => publisher.publish(ETL_QUEUES.work, formatMessage(message)));
  } finally {
    await publisher.close();
  }
}
