import { CoreError } from "../lib/core_errors.js";
import { codeOf } from "../lib/errors.js";
import type { Route } from "../lib/http/route.js";
import type { Listening } from "../lib/http/server.js";
import { type Logger, PLATFORM } from "../lib/observability/log.js";
import { createRegistry } from "../lib/observability/registry.js";
import { packageVersion } from "../lib/root.js";
import type { Part } from "../lib/runtime/lifecycle.js";
import { describedRoutes, type Module } from "../lib/runtime/module.js";
import { Process } from "../lib/runtime/process.js";
import type { Settings } from "../lib/settings/base.js";
import { settingNames } from "../lib/settings/define.js";
import { namesThatAreSet } from "../lib/settings/settings.js";
import { aborted, pause } from "../lib/timing.js";
import { SelfWatch } from "./self_watch.js";

/** Processes of their own: a worker, jobs, a reporter for each name that it reports under. */
const APART: readonly string[] = ["etl", "jobs", "platform", "gateway-simulator", "reporter", "traffic"];

/** The modules named, or all services when none is. @throws CoreError MODULE_UNKNOWN for a name that is none, or stands twice. */
export function chooseModules(names: readonly string[], modules: readonly Module[]): readonly Module[] {
  if (names.length === 0) {
    return modules.filter(({ name }) => !APART.includes(name));
  }
  return names.map((name, i) => {
    const module = modules.find((candidate) => candidate.name === name);
    const hint = `There are: ${modules.map((each) => each.name).join(", ")}.`;
    if (module === undefined) {
      throw new CoreError("MODULE_UNKNOWN", `there is no module ${name}.`, { hint });
    }
    if (names.indexOf(name) < i) {
      throw new CoreError("MODULE_UNKNOWN", `module ${name} is named twice.`, { hint });
    }
    return module;
  });
}

export interface ServeOptions {
  readonly modules: readonly Module[];
  readonly all: readonly Module[];
  readonly settings: Settings;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/**
 * Runs modules in this process until `signal` fires, serves on until proxies have noticed (HTTP_DRAIN_MS), and lets what is in flight
 * finish.
 *
 * @throws CoreError SETTINGS_INVALID for a port, MODULE_INVALID for a path that two modules want, PORT_TAKEN
 * @throws PlatformError for what else waiting does not mend.
 */
export async function serve(options: ServeOptions): Promise<void> {
  const { modules, all, settings, signal } = options;
  const logger = options.logger.child({ service: PLATFORM });
  sayIgnored(all, modules, logger);
  const registry = createRegistry({ build: { version: packageVersion() }, process: true });
  const routes: Route[] = [];
  const places: Place[] = [];
  const watch =
    settings.SELF_WATCH === "on" ? [new SelfWatch({ settings, logger, name: watchedName(modules) })] : [];
  const served = new Process({ ...options, registry }, (runtime) => [
    ...modules.flatMap((module) => {
      const made = module.start({ ...runtime, logger: options.logger.child({ service: module.service }) });
      const { service } = module;
      const { poolQueue } = made;
      routes.push(...(made.routes ?? []).map((route) => ({ ...route, service, poolQueue })));
      if (made.operationsAt !== undefined) {
        places.push({ ...made.operationsAt, wantedBy: module.name });
      }
      return made.parts;
    }),
    ...watch,
  ]);
  // Here, because only what serves needs it: it is a third of what every other command would wait for.
  const { createHttpServer, httpPart } = await import("../lib/http/server.js");
  const dependencies = () => served.dependencies();
  const replicas = () => served.replicas.states;
  const operations = { registry, dependencies, replicas, critical: ["postgres"], ending: signal };
  // Of all modules, also of those that run elsewhere: the document is the same whichever process is asked.
  const described = () => describedRoutes(all);
  const { HTTP_HOST: host, HTTP_PORT: port } = settings;
  const api = { host, port, wantedBy: "the API (HTTP_PORT)" };
  const withApi = routes.length > 0 || places.length === 0;
  const wanted = [...places.filter((place) => place.port !== 0), ...(withApi ? [api] : [])];

  // Before the start, which may have to wait for a server: that is when somebody asks how it is.
  const servers: Part[] = [];
  const stopped = aborted(signal);
  try {
    requireOnePortEach(wanted);
    for (const place of wanted) {
      const own = place === api ? { api: { version: packageVersion(), routes, described, settings } } : {};
      const server = httpPart(await createHttpServer({ operations, logger: options.logger, ...own }), place);
      servers.push(server);
      await server.start?.().catch((error: unknown) => {
        if (place === api) {
          throw error;
        }
        // Work matters more than being watched.
        const where = `${place.host}:${place.port}`;
        logger.warn({ code: codeOf(error) }, `no metrics of ${place.wantedBy}: cannot listen on ${where}`);
      });
    }
    if (withApi) {
      logger.info({ host, port }, "HTTP server up");
    }
    await Promise.race([served.start(), stopped]);
    logger.info({ modules: modules.map(({ name }) => name) }, "ready");
    await stopped;
    if (withApi && settings.HTTP_DRAIN_MS > 0) {
      logger.info({ ms: settings.HTTP_DRAIN_MS }, "draining: proxies are told");
      await pause(settings.HTTP_DRAIN_MS);
    }
    logger.info("stopping: nothing new is taken");
  } finally {
    // Requests in flight need what the parts give them.
    for (const server of servers) {
      await server.drain?.();
    }
    await served.stop();
    for (const server of servers) {
      await server.stop();
    }
  }
  logger.info("stopped");
}

/** As the monitor knows it: of several modules they are all services. */
const watchedName = ([first, ...others]: readonly Module[]) =>
  `self-${first === undefined || others.length > 0 ? "services" : first.service}`;

interface Place extends Listening {
  readonly wantedBy: string;
}

function requireOnePortEach(places: readonly Place[]): void {
  for (const [i, { port, wantedBy }] of places.entries()) {
    const other = places.slice(i + 1).find((each) => each.port === port);
    if (other !== undefined) {
      const problem = `port ${port} is wanted by ${wantedBy} and by ${other.wantedBy}.`;
      const hint = "See .env.example for the settings that name ports.";
      throw new CoreError("SETTINGS_INVALID", problem, { hint });
    }
  }
}

/** A setting of a module that does not run here has no effect; who set it by mistake finds that in the log. */
function sayIgnored(all: readonly Module[], running: readonly Module[], logger: Logger): void {
  const others = all.filter((module) => !running.includes(module)).map(({ settings }) => settings);
  const ignored = namesThatAreSet(settingNames(others));
  if (ignored.length > 0) {
    logger.debug({ ignored }, "settings of modules that do not run here are ignored");
  }
}
