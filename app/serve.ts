import { CoreError } from "../lib/core_errors.js";
import { codeOf } from "../lib/errors.js";
import type { Route } from "../lib/http/route.js";
import { createHttpServer, httpPart, type Listening } from "../lib/http/server.js";
import type { Logger } from "../lib/observability/log.js";
import { createRegistry } from "../lib/observability/registry.js";
import { packageVersion } from "../lib/root.js";
import type { Part } from "../lib/runtime/lifecycle.js";
import { type Module, requireUnambiguous } from "../lib/runtime/module.js";
import { Process } from "../lib/runtime/process.js";
import type { Settings } from "../lib/settings/base.js";
import { settingNames } from "../lib/settings/define.js";
import { MODULES } from "./modules.js";

/** Not services: a worker and jobs are processes of their own. */
const APART: readonly string[] = ["etl", "jobs"];

/**
 * The modules named, or all services when none is.
 *
 * @throws CoreError MODULE_UNKNOWN for a name that is none, or stands twice; MODULE_INVALID
 */
export function chooseModules(
  names: readonly string[],
  modules: readonly Module[] = MODULES,
): readonly Module[] {
  requireUnambiguous(modules);
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

/**
 * Runs modules in this process until `signal` fires, then lets what is in flight finish.
 *
 * @throws PlatformError for what waiting does not mend.
 */
export async function serve(
  modules: readonly Module[],
  settings: Settings,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  sayIgnored(modules, logger);
  const registry = createRegistry({ build: { version: packageVersion() }, process: true });
  const codes = modules.flatMap(({ errors }) => Object.keys(errors));
  const routes: Route[] = [];
  const operationsAt: Listening[] = [];
  const served = new Process({ settings, logger, registry, codes }, (runtime) =>
    modules.flatMap((module) => {
      const made = module.start(runtime);
      routes.push(...(made.routes ?? []));
      if (made.operationsAt !== undefined) {
        operationsAt.push(made.operationsAt);
      }
      return made.parts;
    }),
  );
  const operations = { registry, dependencies: () => served.dependencies(), critical: ["postgres"] };
  const listen = async (own: readonly Route[], at: Listening): Promise<Part> =>
    httpPart(await createHttpServer({ version: packageVersion(), routes: own, operations, logger }), at);
  const api = { host: settings.HTTP_HOST, port: settings.HTTP_PORT };
  const withApi = routes.length > 0 || operationsAt.length === 0;
  const places = operationsAt.filter(({ port }) => port !== 0);
  const clash = withApi && places.some(({ port }) => port === api.port);
  if (clash) {
    throw new CoreError("SETTINGS_INVALID", `HTTP_PORT: ${api.port} is wanted by two modules.`);
  }

  // Before the start, which may have to wait for a server: that is when somebody asks how it is.
  const servers: Part[] = [];
  const stopped = new Promise<void>((resolve) => {
    if (signal.aborted) {
      resolve();
    }
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  try {
    for (const place of places) {
      const server = await listen([], place);
      servers.push(server);
      await server.start?.().catch((error: unknown) => {
        // Work matters more than being watched.
        const where = `${place.host}:${place.port}`;
        logger.warn(
          { code: codeOf(error) },
          `no metrics: cannot listen on ${where}; set WORKER_METRICS_PORT`,
        );
      });
    }
    if (withApi) {
      const server = await listen(routes, api);
      servers.push(server);
      await server.start?.();
      logger.info(api, "HTTP server up");
    }
    await Promise.race([served.start(), stopped]);
    logger.info({ modules: modules.map(({ name }) => name) }, "ready");
    await stopped;
    logger.info("stopping: nothing new is taken");
  } finally {
    await served.stop();
    for (const server of servers) {
      await server.stop();
    }
  }
  logger.info("stopped");
}

/** A setting of a module that does not run here has no effect; who set it by mistake finds that in the log. */
function sayIgnored(running: readonly Module[], logger: Logger): void {
  const others = MODULES.filter((module) => !running.includes(module)).map(({ settings }) => settings);
  const ignored = settingNames(others).filter((name) => process.env[name]);
  if (ignored.length > 0) {
    logger.debug({ ignored }, "settings of modules that do not run here are ignored");
  }
}
