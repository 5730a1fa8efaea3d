import type { Publisher } from "../broker/publisher.js";
import { Slots } from "../broker/slots.js";
import type { ReceivedEvent } from "../messaging/event.js";
import type { EventOutcome } from "../messaging/handle_batch.js";
import { Outbox } from "../messaging/outbox.js";
import type { Logger } from "../observability/log.js";
import { observePool } from "../postgres/observe.js";
import { type Pool, type Queryable, transaction } from "../postgres/pool.js";
import { createServicePool } from "../postgres/service_pool.js";
import { type EventProcessOptions, eventProcess, type Reaction } from "./event_process.js";
import { type Chore, housekeeping } from "./housekeeping.js";
import type { Part } from "./lifecycle.js";
import type { Runtime } from "./module.js";
import { replicaReads } from "./replica_reads.js";
import { isPurged, type PurgedTable, purge } from "./retention.js";
import { postgresServer } from "./servers.js";

/** What a service does with an event. */
export interface TableReaction<Body> extends Omit<Reaction<Body>, "handle"> {
  /** Each of its statements is a transaction of its own: a round trip in place of three. Default: one transaction a batch. */
  readonly autocommit?: boolean;
  /** Works in the transaction that it is given; resolves with an outcome for each event, in their order. */
  readonly handle: (
    tx: Queryable,
    events: readonly ReceivedEvent<Body>[],
  ) => Promise<readonly EventOutcome[]>;
}

export interface ServiceOptions extends Omit<EventProcessOptions, "reactions" | "postgres"> {
  /** Of its tables; its role is `payments_<schema>`. */
  readonly schema: string;
  /** Connections to PostgreSQL for HTTP; there is one more for each event that it takes, and one to see how it is. */
  readonly connections: number;
  // biome-ignore lint/suspicious/noExplicitAny: each event has a body of its own
  readonly reactions: readonly TableReaction<any>[];
  /** Partitioned tables, whose months ahead are made at the start and once a day. */
  readonly partitioned?: readonly string[];
  /** Of its own, beside those and what retention asks for. */
  readonly chores?: (pool: Pool) => readonly Chore[];
}

export interface Service {
  readonly pool: Pool;
  /** What may lag is read by it, on a replica where there is one; what was just written, and by id, on the pool. */
  readonly reads: Queryable;
  readonly publisher: Publisher;
  readonly outbox: Outbox;
  readonly logger: Logger;
  /** In the order of their start. */
  readonly parts: readonly Part[];
}

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** This month and two more: a service that is not started for two months finds a place for its rows, and DEFAULT takes the rest. */
const MONTHS_AHEAD = 3;

const monthsAhead = (pool: Pool, table: string): Chore => ({
  name: `months of ${table}`,
  everyMs: DAY_MS,
  first: true,
  run: () => pool.query("SELECT ops.add_months($1::regclass, $2)", [table, MONTHS_AHEAD]),
});

const oldRows = (pool: Pool, purged: PurgedTable): Chore => ({
  name: `old rows of ${purged.table}`,
  everyMs: HOUR_MS,
  run: () => purge(pool, purged),
});

/** What a service with tables is made of: a pool as its own role, an outbox with its sweeper, and what `eventProcess` gives. */
export function serviceProcess(runtime: Runtime, options: ServiceOptions): Service {
  const { settings, logger, messages, modules, workerId } = runtime;
  const { service, schema, queues, connections, reactions, partitioned = [], chores } = options;
  const own = { role: `payments_${schema}`, schema, applicationName: `${service} ${workerId}`.slice(0, 63) };
  const poolOf = (name: "requests" | "events", max: number) => {
    const made = createServicePool(settings, { ...own, max });
    observePool(made, messages, { service, pool: name });
    return made;
  };
  // Apart, so that a crowd of requests keeps neither events nor the question whether we are ready waiting.
  const pool = poolOf("requests", connections);
  const eventPool = poolOf("events", reactions.length + 1);
  const replica = replicaReads(runtime, {
    ...{ service, primary: pool },
    poolAt: (at) => createServicePool(at, { ...own, max: connections, readOnly: true }),
  });
  const postgres = postgresServer(runtime, { pool: eventPool, others: [pool], logger });
  const { publisher, publishing, consumers } = eventProcess(runtime, {
    service,
    queues,
    postgres: postgres.breaker,
    reactions: reactions.map(({ handle, autocommit = false, ...reaction }) => {
      // Two batches at once would only meet at the same rows; one is there while the other's followers are confirmed.
      const database = new Slots(1);
      const work = (events: Parameters<typeof handle>[1]) =>
        autocommit ? handle(eventPool, events) : transaction(eventPool, (tx) => handle(tx, events));
      return { ...reaction, handle: (events) => database.run(() => work(events)) };
    }),
  });
  const outbox = new Outbox({ schema, pool, publisher, logger });
  const those = modules.filter(({ schemas }) => schemas.includes(schema));
  const all = [
    ...partitioned.map((table) => monthsAhead(eventPool, `${schema}.${table}`)),
    ...those.flatMap(({ retention }) => retention.filter(isPurged).map((each) => oldRows(eventPool, each))),
    ...(chores?.(eventPool) ?? []),
  ];
  const parts = [postgres.part, replica.part, housekeeping(all, logger), publishing, outbox, ...consumers];
  return { pool, reads: replica.reads, publisher, outbox, logger, parts };
}
