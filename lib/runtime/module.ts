import { join } from "node:path";
import type { Registry } from "prom-client";
import { z } from "zod";
import { type QueueFamily, queueNames } from "../broker/topology.js";
import type { CommandFactory } from "../cli/command.js";
import { CoreError } from "../core_errors.js";
import type { ErrorTable } from "../errors.js";
import type { PoolQueue } from "../http/load.js";
import { httpMetrics } from "../http/metrics.js";
import type { Route } from "../http/route.js";
import type { Listening } from "../http/server.js";
import type { Forecaster } from "../messaging/forecast.js";
import type { Logger } from "../observability/log.js";
import { type CodeLabel, messageMetrics } from "../observability/message_metrics.js";
import { type Instruments, type MetricDeclarations, PROCESS_METRICS } from "../observability/registry.js";
import type { ModulePanels } from "../observability/service_panels.js";
import type { Queryable } from "../postgres/pool.js";
import { packageRoot } from "../root.js";
import type { Settings } from "../settings/base.js";
import type { SettingsDeclaration } from "../settings/define.js";
import type { Part } from "./lifecycle.js";
import type { Replicas } from "./replicas.js";
import type { Retention } from "./retention.js";

/**
 * What a module is and what it owns: the names in its manifest, which nothing outside its folder lists again. Settings, error table,
 * topology, metrics, commands and docs pages follow from the manifests in app/modules.ts.
 */
export interface Module {
  readonly name: string;
  readonly settings: SettingsDeclaration;
  readonly errors: ErrorTable;
  readonly queues: readonly QueueFamily[];
  /** What its events would come to, as far as it can tell: of all that its queues take, or none. */
  // biome-ignore lint/suspicious/noExplicitAny: each event has a body of its own
  readonly forecasters: readonly Forecaster<any>[];
  readonly metrics: MetricDeclarations;
  /** Folder of its migrations, which need not be there. Default: db/migrations/<name>. */
  readonly migrations: string;
  /** Schemas in which its migrations make objects; no other module writes there. */
  readonly schemas: readonly string[];
  /** Roles of the cluster that are made for it. */
  readonly roles: readonly string[];
  /** Views, as `schema.name`, through which modules that look across (console, audit) may read it. */
  readonly views: readonly string[];
  /** How long its rows are kept, table by table; what has an age is purged by `serviceProcess`. */
  readonly retention: readonly Retention[];
  /** Its function `erase(customer, pseudonym)`, as `schema.name`, which takes a person's name out of its tables. */
  readonly erases?: string;
  /**
   * Compares its tables, as `payments audit` sees them in `tx`, with a book that is in no database of ours. What changed in the last
   * `graceS` seconds is in flight. An error of the module's own says that the book cannot be read: the audit goes on without it.
   */
  readonly audits?: (settings: never, tx: Queryable, graceS: number) => Promise<readonly Finding[]>;
  readonly commands: readonly CommandFactory[];
  /** The program that its commands belong to, when that is not the platform's own. */
  readonly program?: string;
  /** Its name in labels and logs, e.g. `wallet-service`. Default: <name>-service. */
  readonly service: string;
  /** Its endpoints, made of what they work with. Processes that do not run it call this with nothing, to describe them. */
  readonly routes?: (resources: never) => readonly Route[];
  /** What it shows on the dashboards of the services. */
  readonly panels?: () => ModulePanels;
  /** Makes what `payments serve` runs; nothing works before a part's `start`. */
  readonly start: (runtime: Runtime) => ModuleParts;
}

/** What is not as it must be. */
export interface Finding {
  readonly what: string;
  readonly expected: string;
  readonly found: string;
}

/** What a process gives to the modules that it runs. */
export interface Runtime<S extends Settings = Settings> {
  readonly settings: S;
  /** Its lines bear the module's `service`. */
  readonly logger: Logger;
  readonly registry: Registry;
  readonly modules: readonly Module[];
  /** The queues of all modules that there are, also of those that run elsewhere. */
  readonly families: readonly QueueFamily[];
  /** The process's own instruments, shared by its modules. */
  readonly messages: Instruments<typeof messageMetrics>;
  readonly codeLabel: CodeLabel;
  /** What may lag is read there. */
  readonly replicas: Replicas;
  /** Names this process to both servers; distinct for every start, no longer than 46 characters. */
  readonly workerId: string;
  /** Fires when the process is to end: whoever waits for a server gives up. */
  readonly stopping: AbortSignal;
}

export interface ModuleParts {
  /** Started in order, stopped in reverse. */
  readonly parts: readonly Part[];
  readonly routes?: readonly Route[];
  /** How many of its requests wait for a connection to the database; too many, and more are answered 503. */
  readonly poolQueue?: PoolQueue;
  /** Where its metrics and readiness are served besides; the HTTP server, which has them too, is for processes with routes. */
  readonly operationsAt?: Listening;
}

/** A manifest as its author writes it: what a module does not have is left out. */
interface Manifest<Own extends object>
  extends Partial<Omit<Module, "settings" | "audits" | "commands" | "start">> {
  readonly name: string;
  readonly settings?: SettingsDeclaration<Own>;
  readonly audits?: (settings: Settings & Own, tx: Queryable, graceS: number) => Promise<readonly Finding[]>;
  readonly commands?: readonly CommandFactory<Settings & Own>[];
  readonly start?: (runtime: Runtime<Settings & Own>) => ModuleParts;
}

/** Inside, a module's own settings have their types; outside, all modules are alike. */
export function defineModule<Own extends object = object>(manifest: Manifest<Own>): Module {
  const none = { schema: z.object({}), prefixes: [] };
  const names = { schemas: [], roles: [], views: [], retention: [] };
  const lists = { ...names, errors: {}, queues: [], forecasters: [], metrics: {}, commands: [] };
  const start = () => ({ parts: [] });
  const migrations = join(packageRoot, "db", "migrations", manifest.name);
  const service = `${manifest.name}-service`;
  return { settings: none, start, migrations, service, ...lists, ...manifest } as unknown as Module;
}

/** The endpoints of modules with nothing behind them, as far as their manifests list them, and whose each is. */
export function describedRoutes(modules: readonly Module[]): readonly Route[] {
  return modules.flatMap(({ service, routes }) =>
    (routes?.({} as never) ?? []).map((route) => ({ ...route, service })),
  );
}

/** What lib counts in every process. */
export const LIB_METRICS: MetricDeclarations = { ...PROCESS_METRICS, ...messageMetrics, ...httpMetrics };

/** Names by kind, each with who claims it: a module's name, or `lib`. */
type Claims = Readonly<Record<string, readonly (readonly [name: string, owner: string])[]>>;

function claimsOf(modules: readonly Module[]): Claims {
  const claims = (namesOf: (module: Module) => readonly string[]) =>
    modules.flatMap((module) => namesOf(module).map((name) => [name, module.name] as const));
  return {
    module: claims(({ name }) => [name]),
    setting: claims(({ settings }) => Object.keys(settings.schema.shape)),
    "setting prefix": claims(({ settings }) => settings.prefixes),
    "error code": [
      ...Object.keys(CoreError.table).map((code) => [code, "lib"] as const),
      ...claims(({ errors }) => Object.keys(errors)),
    ],
    // A service's queues share rungs and dead letters.
    queue: claims(({ queues }) => [...new Set(queues.flatMap(queueNames))]),
    metric: [
      ...Object.values(LIB_METRICS).map(({ name }) => [name, "lib"] as const),
      ...claims(({ metrics }) => Object.values(metrics).map(({ name }) => name)),
    ],
    "folder of migrations": claims(({ migrations }) => [migrations]),
    schema: claims(({ schemas }) => schemas),
    role: claims(({ roles }) => roles),
    service: claims(({ service }) => [service]),
    view: claims(({ views }) => views),
    "retention of": claims(({ retention }) => retention.map(({ table }) => table)),
  };
}

const namesOf = (events: readonly (string | undefined)[]): string => events.toSorted().join(", ");

/** @throws CoreError MODULE_INVALID naming each name that two manifests claim, or one claims twice. */
export function requireUnambiguous(modules: readonly Module[]): void {
  const problems: string[] = [];
  for (const [kind, claims] of Object.entries(claimsOf(modules))) {
    const owners = new Map<string, string>();
    for (const [name, owner] of claims) {
      const before = owners.get(name);
      if (before !== undefined) {
        problems.push(`${kind} ${name} is claimed by ${before} and by ${owner}`);
      }
      owners.set(name, owner);
    }
  }
  for (const { name, settings, views, retention, erases, schemas, queues, forecasters } of modules) {
    const isOwn = (object: string) => schemas.includes(object.split(".")[0] ?? "");
    for (const setting of Object.keys(settings.schema.shape)) {
      if (!settings.prefixes.some((prefix) => setting.startsWith(prefix))) {
        problems.push(`setting ${setting} has no prefix of module ${name}`);
      }
    }
    const taken = namesOf(queues.map(({ event }) => event));
    const foreseen = namesOf(forecasters.map(({ event }) => event.name));
    if (forecasters.length > 0 && foreseen !== taken) {
      problems.push(`forecasters of ${name} are of ${foreseen}, its queues of ${taken}`);
    }
    if (erases !== undefined && !isOwn(erases)) {
      problems.push(`function ${erases} of ${name} is not in a schema of its own`);
    }
    for (const view of views.filter((each) => !isOwn(each))) {
      problems.push(`view ${view} of ${name} is not in a schema of its own`);
    }
    for (const { table } of retention.filter((each) => !isOwn(each.table))) {
      problems.push(`table ${table}, whose retention ${name} declares, is not in a schema of its own`);
    }
  }
  if (problems.length > 0) {
    throw new CoreError("MODULE_INVALID", `${problems.join("; ")}.`, {
      hint: "See docs/development.md on what a manifest may claim.",
    });
  }
}
