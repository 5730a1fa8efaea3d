import type { Pool } from "../lib/postgres/pool.js";
import type { WebhookKeys } from "../lib/webhook/source_keys.js";
import type { Kind, Source } from "./kinds/kind.js";
import { askAgain } from "./load/ask_again.js";
import { sendOpenLoop } from "./load/open_loop.js";
import type { Outcome } from "./load/outcome.js";
import { Sender } from "./load/sender.js";
import { countsOf, type Latency, Tally } from "./load/tally.js";
import type { Target } from "./load/target.js";
import { type Plan, planOf } from "./plan.js";
import type { TrafficSpec } from "./spec.js";
import { endRun, enterRun } from "./store/run.js";

export interface TrafficOptions {
  readonly spec: TrafficSpec;
  readonly kinds: readonly Kind[];
  readonly target: Target;
  readonly wallets: Target;
  readonly campaigns: Target;
  /** Of partners who sign what they tell. */
  readonly keys: WebhookKeys | undefined;
  /** Requests under way at a time; more wait, and their wait counts. */
  readonly maxConnections: number;
  readonly timeoutMs: number;
  readonly pool: Pool;
  /** Ends the sending; the answer key of what was sent is entered all the same. */
  readonly signal: AbortSignal;
  /** Told of how far it is, in the midst of it. */
  readonly onProgress: (progress: { readonly ended: number; readonly inFlight: number }) => void;
}

export interface TrafficResult extends Readonly<Record<Outcome, number>> {
  /** For `payments audit --traffic`. */
  readonly traffic: number;
  readonly sent: number;
  /** From the first request to the last answer. */
  readonly seconds: number;
  readonly latencyMs: Latency;
  /** Answers that were none of success, and what else went wrong; before anything was asked again. */
  readonly failures: Readonly<Record<string, number>>;
  /** How late the latest request was sent. */
  readonly lateMs: number;
  /** Of this process while it sent. */
  readonly cpuUsPerRequest: number;
}

const PROGRESS_EVERY_MS = 5_000;

/** Sends the requests of a spec at their times, asks again where the answer stayed out, and enters the answer key. */
export async function runTraffic(options: TrafficOptions): Promise<TrafficResult> {
  const { spec, kinds, pool, signal } = options;
  const names = kinds.map(({ name }) => name);
  const plan = planOf(spec, names);
  const trafficId = await enterRun(pool, spec);
  const sources = await prepareAll(options, plan, trafficId);
  const requestOf = (index: number): string =>
    (sources[plan.kinds[index] ?? 0] as Source).request(plan.numbers[index] ?? 0);

  const { tally, ...sending } = await send(options, plan.kinds.length, requestOf);
  const { latencyMs, failures } = tally;
  const outcomes = tally.outcomes.slice(0, sending.sent);
  await askAgain({
    ...options,
    indices: [...outcomes.keys()].filter((index) => outcomes[index] === "unknown"),
    requestOf,
    onCreated: (index) => {
      outcomes[index] = "created";
    },
    signal,
  });
  for (const [k, source] of sources.entries()) {
    const own = outcomes.filter((_, index) => plan.kinds[index] === k);
    await source?.enterKey(pool, own);
  }
  await endRun(pool, trafficId);
  return { traffic: trafficId, ...sending, ...countsOf(outcomes), latencyMs, failures };
}

/** By kind; undefined where the run has none of it. */
async function prepareAll(
  { spec, kinds, target, wallets, campaigns, keys }: TrafficOptions,
  { counts }: Plan,
  trafficId: number,
): Promise<readonly (Source | undefined)[]> {
  const sources: (Source | undefined)[] = [];
  for (const [k, kind] of kinds.entries()) {
    const requests = counts[k] ?? 0;
    sources.push(
      requests === 0
        ? undefined
        : await kind.prepare({ trafficId, spec, target, wallets, campaigns, keys, requests }),
    );
  }
  return sources;
}

async function send(options: TrafficOptions, total: number, requestOf: (index: number) => string) {
  const { spec, signal, onProgress } = options;
  const tally = new Tally(total);
  const sender = new Sender({ ...options, requestOf, onEnd: (index, ended) => tally.count(index, ended) });
  const clock = setInterval(
    () => onProgress({ ended: tally.ended, inFlight: sender.inFlight }),
    PROGRESS_EVERY_MS,
  );
  try {
    const cpu = process.cpuUsage();
    const startedMs = performance.now();
    const { sent, lateMs } = await sendOpenLoop({
      sender,
      ratePerS: spec.ratePerS,
      total,
      signal,
    });
    const seconds = (performance.now() - startedMs) / 1_000;
    const { user, system } = process.cpuUsage(cpu);
    return { tally, sent, seconds, lateMs, cpuUsPerRequest: Math.round((user + system) / Math.max(1, sent)) };
  } finally {
    clearInterval(clock);
    sender.close();
  }
}
