import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { stderrLines } from "../process/stderr.js";

/**
 * Metrics are declared by whoever counts: lib's in message_metrics.ts, a module's in its metrics.ts. A declaration is data,
 * so that docs/metrics.md and the manifest's rules can read it; `register` makes instruments of it, in the process's
 * registry. Counters count since the process began; what must survive it is in the database, and
 * prometheus/postgres_exporter.yml reads it there. Labels are bounded: lists of the code, or codes through `codeLabel`.
 */
export type MetricDeclaration = CounterDeclaration | GaugeDeclaration | HistogramDeclaration;

interface Named {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
}
export interface CounterDeclaration extends Named {
  readonly kind: "counter";
}
export interface GaugeDeclaration extends Named {
  readonly kind: "gauge";
}
export interface HistogramDeclaration extends Named {
  readonly kind: "histogram";
  readonly buckets: readonly number[];
}

export type MetricDeclarations = Readonly<Record<string, MetricDeclaration>>;

export type Instruments<Declarations extends MetricDeclarations> = {
  readonly [Key in keyof Declarations]: Declarations[Key] extends CounterDeclaration
    ? Counter
    : Declarations[Key] extends GaugeDeclaration
      ? Gauge
      : Histogram;
};

export const counter = (name: string, help: string, ...labels: string[]): CounterDeclaration => ({
  kind: "counter",
  name,
  help,
  labels,
});

export const gauge = (name: string, help: string, ...labels: string[]): GaugeDeclaration => ({
  kind: "gauge",
  name,
  help,
  labels,
});

export const histogram = (
  name: string,
  help: string,
  { labels = [], buckets }: { labels?: readonly string[]; buckets: readonly number[] },
): HistogramDeclaration => ({ kind: "histogram", name, help, labels, buckets });

/** @param options `build`: shown as payments_build_info; `process`: adds memory, CPU and event loop of the process. */
export function createRegistry(options: { build?: { version: string }; process?: boolean } = {}): Registry {
  const registry = new Registry();
  if (options.process === true) {
    collectDefaultMetrics({ register: registry });
  }
  const { info, logLinesLost } = register(registry, PROCESS_METRICS);
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
};

/** @throws Error when one of the names is taken in this registry. */
export function register<Declarations extends MetricDeclarations>(
  registry: Registry,
  declarations: Declarations,
): Instruments<Declarations> {
  const made = Object.entries(declarations).map(([key, declaration]) => [key, make(registry, declaration)]);
  return Object.fromEntries(made) as Instruments<Declarations>;
}

function make(registry: Registry, declaration: MetricDeclaration): Counter | Gauge | Histogram {
  const { kind, name, help } = declaration;
  const common = { registers: [registry], name, help, labelNames: [...declaration.labels] };
  if (kind === "counter") {
    return new Counter(common);
  }
  if (kind === "gauge") {
    return new Gauge(common);
  }
  return new Histogram({ ...common, buckets: [...declaration.buckets] });
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
  // prom-client calls it before each scrape; the type keeps it for the constructor, where nothing can be read yet.
  (metric as unknown as { collect: () => void }).collect = () => {
    metric.reset();
    metric.inc(combine(...all.map((each) => each())));
  };
}
