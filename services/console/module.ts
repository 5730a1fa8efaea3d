import { join } from "node:path";
import { observePool } from "../../lib/postgres/observe.js";
import { createServicePool } from "../../lib/postgres/service_pool.js";
import { packageRoot } from "../../lib/root.js";
import { defineModule, type Module, type Runtime } from "../../lib/runtime/module.js";
import { replicaReads } from "../../lib/runtime/replica_reads.js";
import { brokerServer, postgresServer } from "../../lib/runtime/servers.js";
import { Access } from "./access.js";
import { Actions } from "./actions.js";
import { ConsoleError } from "./errors.js";
import { ConsolePage } from "./page.js";
import type { PlatformActions } from "./platform_actions.js";
import { Poller } from "./poller.js";
import { CONSOLE_RETENTION } from "./retention.js";
import { consoleRoutes } from "./routes/routes.js";
import { type ConsoleSettings, consoleSettings } from "./settings.js";
import { OverviewStream } from "./stream.js";

const SERVICE = "console-service";
/** Looks at what changes fast and at what changes slowly do not wait for each other, nor for requests. */
const LOOKING_CONNECTIONS = 2;

export interface Surroundings {
  /** All that there are, also those that run elsewhere. */
  readonly modules: () => readonly Module[];
  readonly actionsOf: (runtime: Runtime) => PlatformActions;
}

/** The platform on one page. What it can do is handed in, since it knows no other module. */
export const consoleModule = ({ modules: all, actionsOf }: Surroundings): Module =>
  defineModule<ConsoleSettings>({
    name: "console",
    settings: consoleSettings,
    errors: ConsoleError.table,
    schemas: ["console"],
    roles: ["payments_console"],
    retention: CONSOLE_RETENTION,
    routes: consoleRoutes,
    start: (runtime) => {
      const { settings, logger, messages, families, workerId } = runtime;
      const access = new Access(settings);
      const own = {
        ...{ role: "payments_console", schema: "console" },
        applicationName: `${SERVICE} ${workerId}`.slice(0, 63),
      };
      const poolOf = (name: "requests" | "work", max: number) => {
        const pool = createServicePool(settings, { ...own, max });
        observePool(pool, messages, { service: SERVICE, pool: name });
        return pool;
      };
      const [pool, looks] = [
        poolOf("requests", settings.CONSOLE_CONNECTIONS),
        poolOf("work", LOOKING_CONNECTIONS),
      ];
      const max = settings.CONSOLE_CONNECTIONS;
      const replica = replicaReads(runtime, {
        ...{ service: SERVICE, primary: pool },
        poolAt: (at) => createServicePool(at, { ...own, max, readOnly: true }),
      });
      const postgres = postgresServer(runtime, { pool: looks, others: [pool], logger });
      const broker = brokerServer(runtime, { title: SERVICE, logger, families, consumes: () => true });
      const stream = new OverviewStream(settings.CONSOLE_STREAMS);
      const actions = new Actions({ pool, logger });
      const poller = new Poller({
        ...{ pool: looks, publisher: broker.publisher, modules: all(), logger },
        pollMs: settings.CONSOLE_POLL_MS,
        watched: () => stream.pages > 0,
        onLook: (overview) => stream.tell(overview.sequence, overview),
      });
      const page = new ConsolePage(join(packageRoot, "dist", "console"));
      const platformActions = actionsOf(runtime);
      return {
        parts: [postgres.part, replica.part, broker.part, stream, actions, poller],
        routes: consoleRoutes({
          ...{ pool, reads: replica.reads, logger, access, actions, platformActions, poller, stream, page },
        }),
        poolQueue: () => pool.waitingCount,
      };
    },
  });
