import { Publisher } from "../broker/publisher.js";
import type { QueueFamily } from "../broker/topology.js";
import type { CommandContext } from "./command.js";

/** How a command is connected: that it is, for a short while, is no news. */
export function brokerOptions({ settings, logger }: CommandContext, name = "payments-cli") {
  return { address: settings, name, logger: logger.child({}, { level: "warn" }) };
}

/** Runs `work` with a publisher, which is closed in any case; fails at once when there is no broker. */
export async function withPublisher<T>(
  options: ReturnType<typeof brokerOptions>,
  families: readonly QueueFamily[],
  work: (publisher: Publisher) => Promise<T>,
): Promise<T> {
  const publisher = new Publisher({ ...options, connectPolicy: "once", families });
  try {
    await publisher.up();
    return await work(publisher);
  } finally {
    await publisher.close();
  }
}
