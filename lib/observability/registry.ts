import { totalmem } from "node:os";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { stderrLines } from "../process/stderr.js";

/**
 * A declaration is data, so that docs/metrics.md and the manifest's rules can read it; `register` makes instruments of it. Counters
 * count since the process began; what must survive it is in the database, and prometheus/postgres_exporter.yml reads it there.
 * Labels are bounded: lists of the code, or codes through `codeLabel`.
 */
export interface MetricDeclaration<Kind extends keyof typeof INSTRUMENTS = keyof typeof INSTRUMENTS> {
  readonly kind: Kind;
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  /** Of a histogram. */
  readonly buckets?: readonly number[];
}

export type MetricDeclarations = Readonly<Record<string, MetricDeclaration>>;

const INSTRUMENTS = { counter: Counter, gauge: Gauge, histogram: Histogram };

export type Instruments<Declarations extends MetricDeclarations> = {
  readonly [Key in keyof Declarations]: InstanceType<(typeof INSTRUMENTS)[Declarations[Key]["kind"]]>;
};

const declare =
  <Kind extends keyof typeof INSTRUMENTS>(kind: Kind) =>
  (name: string, help: string, ...labels: string[]): MetricDeclaration<Kind> => ({
    kind,
    name,
    help,
    labels,
  });

export const counter = declare("counter");
export const gauge = declare("gauge");

export const histogram = (
  name: string,
  help: string,
  { labels = [], buckets }: { labels?: readonly string[]; buckets: readonly number[] },
): MetricDeclaration<"histogram"> => ({ kind: "histogram", name, help, labels, buckets });

/** @param options `build`: shown as payments_build_info; `process`: adds memory, CPU and event loop of the process. */
export function createRegistry(options: { build?: { version: string }; process?: boolean } = {}): Registry {
  const registry = new Registry();
  if (options.process === true) {
    collectDefaultMetrics({ register: registry });
  }
  const { info, logLinesLost, memoryLimit } = register(registry, PROCESS_METRICS);
  memoryLimit.set(memoryLimitBytes());
  logLinesLost.inc(0);
  onScrape(logLinesLost, () => stderrLines.lost);
  if (options.build !== undefined) {
    info.set({ version: options.build.version, node: process.versions.node }, 1);
  }
  return registry;
}

/** What every process serves. */
export const PROCESS_METRICS = {
  info: gauge("payments_build_info", "1; what runs, in labels", "version", "node"),
  logLinesLost: counter(
    "payments_log_lines_lost_total",
    "Log lines that could not be written: a full disk, a reader that has gone",
  ),
  memoryLimit: gauge(
    "payments_memory_limit_bytes",
    "Memory that the process may use: its container's limit, and the goal of 500 MB where there is none",
  ),
};

/** What a process of the services is meant to stay below, whatever the load. */
const MEMORY_GOAL_BYTES = 500_000_000;

function memoryLimitBytes(): number {
  // Without a limit it tells of one beyond all memory.
  const limit = process.constrainedMemory();
  return limit > 0 && limit < totalmem() ? limit : MEMORY_GOAL_BYTES;
}

/** @throws Error when one of the names is taken in this registry. */
export function register<Declarations extends MetricDeclarations>(
  registry: Registry,
  declarations: Declarations,
): Instruments<Declarations> {
  const made = Object.entries(declarations).map(([key, { kind, name, help, labels, buckets }]) => {
    const common = { registers: [registry], name, help, labelNames: [...labels] };
    const options = buckets === undefined ? common : { ...common, buckets: [...buckets] };
    return [key, new INSTRUMENTS[kind](options)];
  });
  return Object.fromEntries(made) as Instruments<Declarations>;
}

type Series = readonly [labels: Readonly<Record<string, string>>, value: number];
const listers = new WeakMap<Gauge, (() => readonly Series[])[]>();

/** Has a gauge with labels ask for its values when it is scraped; each caller gives series of its own. */
export function seriesOnScrape(metric: Gauge, list: () => readonly Series[]): void {
  const all = [...(listers.get(metric) ?? []), list];
  listers.set(metric, all);
  collectBy(metric, () => {
    for (const [labels, value] of all.flatMap((each) => each())) {
      metric.set(labels, value);
    }
  });
}

/** prom-client calls it before each scrape; the type keeps it for the constructor, where nothing can be read yet. */
function collectBy(metric: Gauge | Counter, read: () => void): void {
  (metric as unknown as { collect: () => void }).collect = () => {
    metric.reset();
    read();
  };
}

const readers = new WeakMap<Gauge | Counter, (() => number)[]>();

/** Has a metric ask for its value when it is scraped; where several modules of a process answer, `combine` makes one of theirs. */
export function onScrape(
  metric: Gauge | Counter,
  read: () => number,
  combine: (...values: number[]) => number = Math.max,
): void {
  const all = [...(readers.get(metric) ?? []), read];
  readers.set(metric, all);
  collectBy(metric, () => metric.inc(combine(...all.map((each) => each()))));
}
