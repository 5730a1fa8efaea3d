import type { FastifyInstance } from "fastify";
import type { Registry } from "prom-client";
import type { Api } from "../../lib/http/api.js";
import type { Route } from "../../lib/http/route.js";
import { createHttpServer } from "../../lib/http/server.js";
import { type Logger, silentLogger } from "../../lib/observability/log.js";
import { createRegistry } from "../../lib/observability/registry.js";
import type { Dependencies } from "../../lib/runtime/lifecycle.js";
import { baseSettings, type Settings } from "../../lib/settings/base.js";

const servers: FastifyInstance[] = [];

/** For `afterEach`. */
export async function closeServers(): Promise<void> {
  for (const server of servers.splice(0)) {
    await server.close();
  }
}

export const allUp = async () => ({ postgres: "up", rabbitmq: "up" }) as const;

export interface ServeOptions extends Partial<Omit<Api, "settings" | "routes">> {
  readonly settings?: Partial<Settings>;
  readonly dependencies?: () => Promise<Dependencies>;
  readonly logger?: Logger;
  readonly registry?: Registry;
  /** Fires when the process is told to end. Default: never. */
  readonly ending?: AbortSignal;
}

/** The API of some routes, with the settings' defaults but for those given; `closeServers` ends it. */
export async function serveApi(
  routes: readonly Route[],
  options: ServeOptions = {},
): Promise<FastifyInstance> {
  const { settings, dependencies = allUp, logger = silentLogger, ...rest } = options;
  const { registry = createRegistry({ build: { version: "1.2.3" } }), ...others } = rest;
  const { ending = new AbortController().signal, ...more } = others;
  const server = await createHttpServer({
    operations: { registry, dependencies, replicas: () => [], critical: ["postgres"], ending },
    logger,
    api: { version: "1.2.3", routes, settings: { ...baseSettings.schema.parse({}), ...settings }, ...more },
  });
  servers.push(server);
  return server;
}
