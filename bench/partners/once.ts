import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { formatCount, formatTable } from "../../lib/cli/table.js";
import type { Pool } from "../../lib/postgres/pool.js";
import { withPool } from "../../lib/postgres/with_pool.js";
import { auditOf } from "../audit.js";
import { MAIN } from "../platform_process.js";
import { run, until } from "../process.js";
import type { Report } from "../report.js";
import type { Stack } from "../stack.js";
import { CREW, Crew } from "./crew.js";

export interface OnceOptions {
  /** Requests, repetitions among them. */
  readonly events: number;
  readonly seconds: number;
  readonly duplicates: number;
  /** Share of the gateway's requests that go wrong. */
  readonly failing: number;
  readonly seed: number;
  /** Each process is killed in turn, this many seconds apart; 0: none is. */
  readonly killEvery: number;
}

/** What `payments traffic --json` says, as far as it is read here. */
interface TrafficResult {
  readonly traffic: number;
  readonly sent: number;
  readonly created: number;
  readonly unknown: number;
  readonly failures: Readonly<Record<string, number>>;
  readonly latencyMs: Readonly<Record<"p50" | "p95" | "p99" | "max", number>>;
}

interface Figures extends TrafficResult {
  /** From the first request to the last payout's end. */
  readonly totalS: number;
  readonly open: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly kills: Readonly<Record<string, number>>;
  readonly differences: readonly string[];
}

const GOAL_S = 300;
/** What has not ended by then counts as open. */
const SETTLE_MS = 600_000;
/** A payout may still come back after it was paid: its notice takes less. */
const QUIET_MS = 3_000;

/** Scenario 3: partners' events, some told again and all out of order, each taking effect once. */
export async function benchOnce(stack: Stack, report: Report, options: OnceOptions): Promise<void> {
  await mkdir(join(stack.dir, "bench"), { recursive: true, mode: 0o700 });
  const figures = await stack.withDatabase(async () => {
    await stack.emptyVhost();
    return Crew.with(stack, options, (crew) => measure(stack, report, crew, options));
  });
  await report.save({ options, ...figures });
  report.print(render(figures, options));
}

async function measure(stack: Stack, report: Report, crew: Crew, options: OnceOptions): Promise<Figures> {
  const over = new AbortController();
  const startedMs = performance.now();
  const kills = killInTurn(crew, options.killEvery, AbortSignal.any([over.signal, stack.signal]));
  const traffic = await runTraffic(stack, crew, options);
  report.say(`told: ${formatCount(traffic.created)} of ${formatCount(traffic.sent)} taken`);
  over.abort();
  const killed = await kills;
  return withPool(stack.settings, { role: "admin", applicationName: "payments-bench" }, async (pool) => {
    await pool.query("SET ROLE payments_owner");
    const settled = async () => {
      crew.mustLive();
      return (await openOf(pool)) === 0;
    };
    await until("all to settle", settled, { withinMs: SETTLE_MS, signal: stack.signal }).catch(() =>
      stack.signal.throwIfAborted(),
    );
    const totalS = (performance.now() - startedMs) / 1_000;
    await sleep(QUIET_MS);
    await until("what came back to settle", settled, { withinMs: SETTLE_MS, signal: stack.signal }).catch(
      () => stack.signal.throwIfAborted(),
    );
    return {
      ...traffic,
      totalS,
      open: await openOf(pool),
      outcomes: await outcomesOf(pool),
      kills: killed,
      differences: await auditOf(stack, traffic.traffic, crew.env),
    };
  });
}

async function killInTurn(crew: Crew, everyS: number, over: AbortSignal): Promise<Record<string, number>> {
  const kills: Record<string, number> = {};
  for (let turn = 0; everyS > 0; turn++) {
    await sleep(everyS * 1_000, undefined, { signal: over }).catch(() => undefined);
    if (over.aborted) {
      break;
    }
    const member = CREW[turn % CREW.length] ?? "collector";
    await crew.replace(member);
    kills[member] = (kills[member] ?? 0) + 1;
  }
  return kills;
}

async function runTraffic(stack: Stack, crew: Crew, options: OnceOptions): Promise<TrafficResult> {
  const flags = {
    rate: `${options.events / options.seconds}/s`,
    seconds: options.seconds,
    seed: options.seed,
    "duplicate-share": options.duplicates,
    "disorder-share": 1,
    url: crew.urlOf("collector"),
    "campaigns-url": crew.urlOf("campaigns"),
  };
  const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const stdout = await run([process.execPath, MAIN, "traffic", "--partners", "--json", ...args], {
    env: stack.settings,
    signal: stack.signal,
  });
  return JSON.parse(stdout) as TrafficResult;
}

/** Events in an outbox, and deliveries whose end is not known. */
async function openOf(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ open: number }>(
    `SELECT (SELECT coalesce(sum(waiting_events), 0) FROM ops.outbox_state())
          + (SELECT count(*) FROM collector.delivery WHERE awaited AND (outcome IS NULL OR outcome = 'pending')) AS open`,
  );
  return Number(rows[0]?.open);
}

async function outcomesOf(pool: Pool): Promise<Record<string, number>> {
  const { rows } = await pool.query<{ what: string; events: number }>(
    `SELECT destination || ' ' || outcome AS what, count(*) AS events
     FROM collector.delivery WHERE outcome IS NOT NULL GROUP BY 1 ORDER BY 1`,
  );
  return Object.fromEntries(rows.map(({ what, events }) => [what, Number(events)]));
}

function render(figures: Figures, { events }: OnceOptions): string {
  const { created, unknown, latencyMs, totalS, open, outcomes, kills, differences, failures } = figures;
  const rows = [
    ["told", formatCount(events)],
    ["taken, unknown", `${formatCount(created)}, ${unknown}`],
    ["POST p50, p95, p99 ms", `${latencyMs.p50}, ${latencyMs.p95}, ${latencyMs.p99}`],
    ...Object.entries(outcomes).map(([what, count]) => [what, formatCount(count)]),
    ...Object.entries(failures).map(([what, count]) => [`failed: ${what}`, formatCount(count)]),
    ...Object.entries(kills).map(([what, count]) => [`killed: ${what}`, String(count)]),
  ];
  const goals = [
    ["all settled, s", totalS.toFixed(1), `< ${GOAL_S}`, totalS < GOAL_S],
    ["not settled", open, "0", open === 0],
    ["differences of the audit", differences.length, "0", differences.length === 0],
  ] as const;
  const goalRows = goals.map(([what, found, target, reached]) => [
    ...[what, String(found), target, reached ? "reached" : "MISSED"],
  ]);
  const shown = differences.slice(0, 20).map((difference) => `audit: ${difference}`);
  return [
    formatTable(["what", "found"], rows),
    formatTable(["goal", "found", "target", ""], goalRows),
    ...shown,
  ].join("\n\n");
}
