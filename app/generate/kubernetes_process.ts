import { describedRoutes, type Module } from "../../lib/runtime/module.js";
import { secretNames } from "../../lib/settings/define.js";

/** What a module is in a cluster: one Deployment, and what follows from its manifest. */
export interface ClusterProcess {
  readonly module: string;
  /** Of its Deployment, its Service and its file. */
  readonly name: string;
  /** Where machines ask it, and people where it has an API. */
  readonly port: number;
  /** Of its API: the longest that all of its endpoints begin with; of a page at `/` their first segments. */
  readonly paths: readonly string[];
  /** Work queues; their depth says how many processes there should be. */
  readonly queues: readonly string[];
  /** Waiting messages a process, above which there should be more of them. */
  readonly depth: number;
  /** False where a second process would not share the work of the first. */
  readonly scales: boolean;
  readonly secrets: readonly SecretSetting[];
  readonly cpu: string;
}

/** A setting that comes from the Secret. */
export interface SecretSetting {
  readonly name: string;
  /** Whether the process starts without it. */
  readonly optional: boolean;
}

/** Modules that have no Deployment, and why. Any other module gets one. */
export const NO_DEPLOYMENT: Readonly<Record<string, string>> = {
  jobs: "CronJobs, backups.yaml",
  platform: "a schema; nothing runs",
  "gateway-simulator": "stands in for Stripe where there is no account; its book is one file",
  traffic: "load for tests",
};

/** Each counts all payments by itself. */
const ALONE = ["metrics"];
const WORKER = "etl";
/** Starts and heals runs, as the commands do. */
const CONSOLE = "console";
/** Without it the module does not start beyond loopback, or its calls are refused. */
const REQUIRED_SECRETS = ["COLLECTOR_SECRETS", "MONITOR_QUEUE_API_KEY", "CONSOLE_PASSWORD"];

/** About 0.1 s of a wallet's work (docs/bench.md: 11,000 debits a second), beyond the 1,500 that a process has in hand. */
const EVENTS_DEPTH = 1_000;
/** The steps that one worker runs at a time (WORKER_CONCURRENCY). */
const STEPS_DEPTH = 2;

/** The processes that modules are in a cluster, in the order of the list. */
export function clusterProcesses(modules: readonly Module[]): readonly ClusterProcess[] {
  return modules.filter(({ name }) => !Object.hasOwn(NO_DEPLOYMENT, name)).map(clusterProcess);
}

function clusterProcess(module: Module): ClusterProcess {
  const isWorker = module.name === WORKER;
  const paths = describedRoutes([module]).map(({ path }) => path);
  const servers = [
    ...(isWorker || module.name === CONSOLE ? ["POSTGRES_PASSWORD"] : []),
    ...(isWorker ? [] : ["POSTGRES_APP_PASSWORD", "HTTP_API_KEYS"]),
  ];
  const own = secretNames([module.settings]);
  return {
    module: module.name,
    name: isWorker ? "worker" : module.name,
    port: isWorker ? 9_464 : 8_080,
    paths: doorsOf(paths),
    queues: module.queues.map(({ work }) => work),
    depth: isWorker ? STEPS_DEPTH : EVENTS_DEPTH,
    scales: !ALONE.includes(module.name),
    secrets: [
      ...[...servers, "RABBITMQ_PASSWORD"].map((name) => ({ name, optional: false })),
      ...own.map((name) => ({ name, optional: !REQUIRED_SECRETS.includes(name) })),
    ],
    cpu: isWorker ? "1" : "500m",
  };
}

export const hasApi = ({ paths }: ClusterProcess) => paths.length > 0;
export const isScaledByCpu = (process: ClusterProcess) => hasApi(process) && process.scales;
export const isScaledByDepth = ({ queues, scales }: ClusterProcess) => queues.length > 0 && scales;

/** What lies beside a page at `/`, as /metrics, is nobody's but by name. */
function doorsOf(paths: readonly string[]): readonly string[] {
  return paths.includes("/")
    ? [...new Set(paths.map((path) => `/${path.split("/")[1] ?? ""}`))]
    : [commonPath(paths)].filter((path) => path !== "");
}

/** @returns the segments that all paths begin with, before any parameter: /wallets of /wallets/:id and /wallets/refund. */
function commonPath(paths: readonly string[]): string {
  const [first = [], ...others] = paths.map((path) => path.split("/"));
  const end = first.findIndex(
    (segment, i) => segment.startsWith(":") || others.some((other) => other[i] !== segment),
  );
  return (end === -1 ? first : first.slice(0, end)).join("/");
}
