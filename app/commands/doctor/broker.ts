import type { ConfirmChannel } from "amqplib";
import { ETL_QUEUES } from "../../../etl/queues.js";
import { BrokerConnection } from "../../../lib/broker/connection.js";
import { nodesOf } from "../../../lib/broker/dial.js";
import { declareFamily, type QueueFamily } from "../../../lib/broker/topology.js";
import type { CommandContext } from "../../../lib/cli/command.js";
import { CoreError } from "../../../lib/core_errors.js";
import { LEASE_MS } from "../../../lib/runtime/lease.js";
import { type Deferred, deferred, within } from "../../../lib/timing.js";
import { type Check, withConnection } from "./check.js";
import { clusterWhole, nodesUp } from "./cluster.js";

/** A broker without an alarm confirms within milliseconds, one with it says so at once. */
const CONFIRM_MS = 5_000;
/** No queue has this name, so what is published there is confirmed and dropped. */
const NOWHERE = "payments.doctor";

interface Session {
  readonly channel: ConfirmChannel;
  readonly alarm: Deferred<string>;
}

/** All on one connection, which `close` ends. */
export function brokerChecks(
  context: CommandContext,
  families: readonly QueueFamily[],
): { checks: Check[]; close: () => Promise<void> } {
  const connection = new BrokerConnection({
    address: context.settings,
    name: "payments-doctor",
    logger: context.logger.child({}, { level: "error" }),
    connectPolicy: "once",
    setUp: async (link): Promise<Session> => {
      const alarm = deferred<string>();
      link.onBlocked((blocked, reason) => blocked && alarm.resolve(reason));
      const channel = await link.openConfirmChannel();
      for (const family of families) {
        await declareFamily(channel, family);
      }
      return { channel, alarm };
    },
  });
  const ask = async <T>(work: (session: Session) => Promise<T>) => work(await connection.up());
  const several = nodesOf(context.settings).length > 1;
  const cluster: Check[] = several ? [["cluster", () => clusterWhole(context.settings)]] : [];
  const checks: Check[] = [
    ["rabbitmq", () => ask(async () => `${await nodesUp(context.settings)}, queues declared`)],
    ...cluster,
    ["worker", () => ask((session) => worker(context, session))],
    ["dead letters", () => ask((session) => deadLetters(session, families))],
    // Last, as nothing gets through on a connection that is blocked.
    ["alarm", () => ask(alarm)],
  ];
  return { checks, close: () => connection.close() };
}

/** An alarm shows only to who publishes: the broker then stops reading from the connection, and tells why. */
async function alarm({ channel, alarm }: Session): Promise<string> {
  channel.publish("", NOWHERE, Buffer.alloc(0));
  const confirmed = channel.waitForConfirms().then(() => undefined);
  const reason = await within(CONFIRM_MS, Promise.race([confirmed, alarm.promise]), () =>
    Error(`no confirm within ${CONFIRM_MS / 1_000} s`),
  );
  if (reason === undefined) {
    return "none; a message was confirmed";
  }
  throw new CoreError("RABBITMQ_ALARM", `the broker takes no messages: ${reason}.`, {
    hint: "Make room on its disk, or memory, or lower disk_free_limit, or raise vm_memory_high_watermark.",
  });
}

async function worker(context: CommandContext, { channel }: Session): Promise<string> {
  const { consumerCount: slots } = await channel.checkQueue(ETL_QUEUES.work);
  const beating = await withConnection(context.settings, "loader", async (pool) => {
    const { rows } = await pool.query<{ count: number }>(
      `SELECT count(*) FROM etl.worker
       WHERE reaped_at IS NULL AND heartbeat_at > clock_timestamp() - $1 * interval '1 millisecond'`,
      [LEASE_MS],
    );
    return rows[0]?.count ?? 0;
  });
  if (slots > 0 && beating > 0) {
    return `${beating} at work`;
  }
  const { work } = ETL_QUEUES;
  throw new Error(
    slots > 0
      ? `${slots} take messages from ${work}, but none beats in this database: another's?`
      : `nobody takes messages from ${work}: no run gets on. Start one: payments worker.`,
  );
}

async function deadLetters({ channel }: Session, families: readonly QueueFamily[]): Promise<string> {
  const found: string[] = [];
  for (const queue of new Set(families.map(({ deadLetter }) => deadLetter))) {
    const { messageCount } = await channel.checkQueue(queue);
    if (messageCount > 0) {
      found.push(`${messageCount} in ${queue}`);
    }
  }
  if (found.length === 0) {
    return "none";
  }
  throw new Error(`${found.join(", ")}. See: payments dlq list --queue NAME.`);
}
