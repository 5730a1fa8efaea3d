import { Publisher } from "../broker/publisher.js";
import type { QueueFamily } from "../broker/topology.js";
import type { Logger } from "../observability/log.js";
import { onScrape } from "../observability/registry.js";
import { requireSchema } from "../postgres/history.js";
import { type Pool, reasonOf } from "../postgres/pool.js";
import { untilDone } from "../retry.js";
import { within } from "../timing.js";
import type { Part } from "./lifecycle.js";
import type { Runtime } from "./module.js";
import { Breaker } from "./outage.js";

/** Whoever asks whether we are ready will not wait long. */
const READY_MS = 2_000;

/** PostgreSQL as a module needs it: awaited at the start, with the tables of all that runs here, and again when it goes away. */
export function postgresServer(
  { messages, modules, stopping }: Runtime,
  {
    pool,
    others = [],
    logger,
  }: { readonly pool: Pool; readonly others?: readonly Pool[]; readonly logger: Logger },
): { readonly breaker: Breaker; readonly part: Part } {
  const probe = () => pool.query("SELECT 1");
  const breaker = new Breaker({
    ...{ server: "PostgreSQL", probe, logger, stopping },
    reasonOf: (error) => reasonOf(pool, error),
  });
  onScrape(messages.breakerOpen, () => Number(breaker.open));
  const answers = async () => {
    const asked = pool.query({ text: "SELECT 1", query_timeout: READY_MS } as { text: string });
    await within(READY_MS, asked, () => new Error("no answer"));
  };
  const part: Part = {
    name: "postgres",
    start: () => untilDone("PostgreSQL", () => requireSchema(pool, modules), { logger, signal: stopping }),
    stop: async () => {
      await Promise.all([pool, ...others].map((each) => each.end()));
    },
    dependencies: () =>
      answers().then(
        () => ({ postgres: "up" }),
        () => ({ postgres: "down" }),
      ),
  };
  return { breaker, part };
}

export interface BrokerOptions {
  /** In the names of connections. */
  readonly title: string;
  readonly logger: Logger;
  /** Declared on every new connection of the publisher. */
  readonly families: readonly QueueFamily[];
  /** Whether all that is to be consumed is. */
  readonly consumes: () => boolean;
}

/** RabbitMQ as a module needs it: a publisher, awaited at the start, and a breaker that waits until it takes messages. */
export function brokerServer(
  { settings, messages, workerId, stopping }: Runtime,
  { title, logger, families, consumes }: BrokerOptions,
): { readonly publisher: Publisher; readonly breaker: Breaker; readonly part: Part } {
  const publisher = new Publisher({
    address: settings,
    name: `${title} ${workerId} (publish)`,
    logger,
    connectPolicy: "forever",
    families,
    observe: (queue, result, ms) => {
      messages.publishes.inc({ queue, result });
      if (result === "confirmed") {
        messages.confirmSeconds.observe(ms / 1_000);
      }
    },
  });
  const probe = async () => {
    if (!publisher.isWritable) {
      throw new Error("it takes no messages");
    }
  };
  const breaker = new Breaker({ server: "RabbitMQ", probe, logger, stopping });
  const isUp = () => publisher.isUp && consumes();
  onScrape(messages.brokerUp, () => Number(isUp()), Math.min);
  const part: Part = {
    name: "publisher",
    start: () => publisher.up(),
    stop: () => publisher.close(),
    dependencies: async () => ({ rabbitmq: isUp() ? "up" : "down" }),
  };
  return { publisher, breaker, part };
}
