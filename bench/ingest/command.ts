import { formatCount, formatTable } from "../../lib/cli/table.js";
import { withPool } from "../../lib/postgres/with_pool.js";
import { METHODS } from "../../services/ingest/domain/normalised.js";
import { Fleet } from "../payments/fleet.js";
import type { Latencies } from "../percentiles.js";
import type { Report } from "../report.js";
import type { Stack } from "../stack.js";
import { fillEvents, requireRoom } from "./fill.js";
import { goalsOf } from "./goals.js";
import { type HttpFigures, measureHttp, measureReads } from "./http.js";
import { measureLake } from "./lake.js";
import type { Measured, ReadFigures, UnknownFigures } from "./measured.js";
import { measureUnknown, withModel } from "./unknown.js";

export const PARTS = ["http", "ai", "lake", "reads"] as const;

export interface IngestOptions {
  readonly only: readonly (typeof PARTS)[number][];
  /** Over HTTP in batches. */
  readonly batch: number;
  /** Of the data lake. */
  readonly rows: number;
  readonly killEvery: number;
  /** That are there when events and sums are read. */
  readonly events: number;
}

/** Events of a request in a batch. */
const BATCH = 1_000;
const SINGLES = 4_000;
const READS = 4_000;
const SUMS = 1_000;
/** Of which there are events: what a month's summary has. */
const DAYS = 25;
const UNLIMITED = { INGEST_RATE_PER_MINUTE: "0", INGEST_EVENTS_PER_MINUTE: "0" };

/** Events of providers: told over HTTP, of unknown ones with a model to ask, out of a data lake, and read. */
export async function benchIngest(stack: Stack, report: Report, options: IngestOptions): Promise<void> {
  const { only, events } = options;
  let measured: Measured = { http: [] };
  const add = async (more: Partial<Measured>) => {
    measured = { ...measured, ...more };
    await report.save({ options, ...measured });
  };
  if (only.includes("reads")) {
    report.say(
      `${formatCount(events)} events need ${formatCount(await requireRoom(stack, events))} MB of disk`,
    );
  }
  if (only.includes("http")) {
    await add({ http: await overHttp(stack, report, options.batch) });
  }
  if (only.includes("ai")) {
    report.say("events of providers that no rule knows");
    await add({ ai: await prepared(stack, () => unknown(stack)) });
  }
  if (only.includes("lake")) {
    report.say(`a lake of ${formatCount(options.rows)} rows`);
    await add({ lake: await prepared(stack, () => measureLake(stack, { ...options, seed: 1 })) });
  }
  if (only.includes("reads")) {
    await add({ reads: await prepared(stack, () => reads(stack, report, events)) });
  }
  report.print(render(measured));
}

function prepared<T>(stack: Stack, work: () => Promise<T>): Promise<T> {
  return stack.withDatabase(async () => {
    await stack.emptyVhost();
    return work();
  });
}

const serving = <T>(
  stack: Stack,
  env: Readonly<Record<string, string>>,
  work: (url: string) => Promise<T>,
): Promise<T> =>
  Fleet.with(stack, { processes: [["ingest"]], env: { ...UNLIMITED, ...env } }, (fleet) =>
    work(fleet.urlOf("ingest")),
  );

const unknown = (stack: Stack): Promise<UnknownFigures> =>
  withModel((model, env) =>
    serving(stack, env, (url) => measureUnknown({ url, model, signal: stack.signal })),
  );

function overHttp(stack: Stack, report: Report, events: number): Promise<readonly HttpFigures[]> {
  return prepared(stack, () =>
    serving(stack, {}, async (url) => {
      await measureHttp({ url, events: BATCH, requests: 5, atOnce: 2, seed: 9 }); // so that code is compiled
      await stack.checkpoint();
      report.say("events one by one");
      const single = await measureHttp({ url, events: 1, requests: SINGLES, atOnce: 16, seed: 1 });
      report.say(`${formatCount(events)} events in batches of ${BATCH}`);
      const requests = Math.ceil(events / BATCH);
      return [single, await measureHttp({ url, events: BATCH, requests, atOnce: 2, seed: 2 })];
    }),
  );
}

async function reads(stack: Stack, report: Report, events: number): Promise<ReadFigures> {
  const session = { role: "payments_owner" };
  const as = { role: "admin", max: 2, applicationName: "payments-bench", session } as const;
  const {
    seconds: fillS,
    ids,
    providers,
  } = await withPool(stack.settings, as, (pool) => fillEvents(pool, events, DAYS));
  report.say(`${formatCount(events)} events in ${fillS.toFixed(0)} s`);
  await stack.checkpoint();
  return serving(stack, {}, async (url) => {
    const paths = Array.from({ length: READS }, (_, i) => `/api/v1/events/${ids[(i * 7_919) % ids.length]}`);
    await measureReads(url, { paths: paths.slice(0, 200), atOnce: 4 });
    const byId = await measureReads(url, { paths, atOnce: 4 });
    const analytics = await measureReads(url, {
      paths: Array.from({ length: SUMS }, (_, i) => sumsPath(i, providers)),
      atOnce: 4,
    });
    return { events, fillS, byId, analytics };
  });
}

/** In turn the summary and a provider's, of all days and of some. */
function sumsPath(i: number, providers: readonly string[]): string {
  const day = (ago: number) => new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10);
  const window = `start_date=${day(1 + (i % DAYS))}&end_date=${day(0)}`;
  return i % 2 === 0
    ? `/api/v1/metrics/summary?${window}`
    : `/api/v1/metrics/providers/${providers[i % providers.length]}?${window}`;
}

function render(measured: Measured): string {
  const { http, ai, lake, reads: read } = measured;
  const ms = (value: number) => value.toFixed(1);
  const tables: string[] = [];
  if (http.length > 0) {
    const rows = http.map(({ events, atOnce, eventsPerS, p50Ms, p95Ms, p99Ms }) => [
      ...[events, atOnce, eventsPerS, ms(p50Ms), ms(p95Ms), ms(p99Ms)],
    ]);
    tables.push(formatTable(["events a request", "at once", "events/s", "p50 ms", "p95", "p99"], rows));
  }
  if (ai !== undefined) {
    const rows = ai.parts.map(({ transactions, methods, p50Ms, p95Ms, p99Ms, calls }) => [
      ...[transactions, ...METHODS.map((method) => methods[method])],
      ...[p50Ms, p95Ms, p99Ms, (1_000 * calls) / transactions].map(ms),
    ]);
    const head = [`events of ${ai.providers} unknown providers`, ...METHODS];
    tables.push(formatTable([...head, "p50 ms", "p95", "p99", "calls per 1,000"], rows));
  }
  if (lake !== undefined) {
    const { rows, fillS, seconds, rowsPerS, kills, unmarked, differences } = lake;
    tables.push(
      formatTable(
        ["lake rows", "filled in s", "polled in s", "rows/s", "kill -9", "unmarked", "differences"],
        [[rows, ms(fillS), ms(seconds), rowsPerS, kills, unmarked, differences.length]],
      ),
      ...differences.slice(0, 5),
    );
  }
  if (read !== undefined) {
    const of = (what: string, { p50Ms, p95Ms, p99Ms }: Latencies) => [what, ms(p50Ms), ms(p95Ms), ms(p99Ms)];
    const head = [
      `read, ${formatCount(read.events)} events (${read.fillS.toFixed(0)} s)`,
      "p50 ms",
      "p95",
      "p99",
    ];
    tables.push(formatTable(head, [of("by id", read.byId), of("analytics", read.analytics)]));
  }
  const goals = goalsOf(measured).map(({ what, found, target, reached }) => [
    ...[what, found, target, reached ? "reached" : "MISSED"],
  ]);
  tables.push(formatTable(["goal", "found", "target", ""], goals));
  return tables.join("\n\n");
}
