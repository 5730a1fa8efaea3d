import { brokerOptions, withPublisher } from "../../lib/cli/broker.js";
import type { CommandContext } from "../../lib/cli/command.js";
import type { Pool } from "../../lib/postgres/pool.js";
import { formatMessage, type OutMessage } from "../message.js";
import { originOf, workersElsewhere } from "../origin.js";
import { ETL_QUEUES } from "../queues.js";

/** Publishes messages about runs of the pool's database. */
export type Send = (pool: Pool, messages: readonly OutMessage[]) => Promise<void>;

/** Runs `work` with a function that publishes to the work queue; fails at once when there is no broker. */
export function withBroker<T>(context: CommandContext, work: (send: Send) => Promise<T>): Promise<T> {
  return withPublisher(brokerOptions(context), [ETL_QUEUES], (publisher) =>
    work(async (pool, messages) => {
      const elsewhere = await workersElsewhere(pool);
      if (elsewhere.length > 0) {
        const note = `no worker of database ${context.settings.POSTGRES_DB} is connected; those of ${elsewhere.join(", ")} leave its messages alone`;
        context.logger.warn({ code: "RUN_ELSEWHERE" }, note);
      }
      for (const message of messages) {
        const headers = await originOf(pool, message.run);
        await publisher.publish(ETL_QUEUES.work, formatMessage(message), { headers });
      }
    }),
  );
}
