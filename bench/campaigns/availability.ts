import { setTimeout as sleep } from "node:timers/promises";
import { formatTable } from "../../lib/cli/table.js";
import { messageOf } from "../../lib/errors.js";
import type { Pool } from "../../lib/postgres/pool.js";
import { withPool } from "../../lib/postgres/with_pool.js";
import { auditOf } from "../audit.js";
import { latenciesOf } from "../percentiles.js";
import { until } from "../process.js";
import type { Report } from "../report.js";
import type { Stack } from "../stack.js";
import { failureBound } from "./bound.js";
import { CONVERSIONS_PER_S, publishConversions } from "./conversions.js";
import { type Ended, nameOf, sendLoad } from "./load.js";
import { FAULTS, type Fault, Proxied, type ProxyCounts } from "./proxied.js";

export interface AvailabilityOptions {
  /** Requests a second. */
  readonly rate: number;
  readonly seconds: number;
  /** From one fault to the next. */
  readonly every: number;
  /** From a fault to the node's return. */
  readonly back: number;
}

interface Figures {
  readonly requests: number;
  readonly failures: Readonly<Record<string, number>>;
  /** Availability at least, in per cent, at 95 % confidence. */
  readonly least: number;
  readonly latencyMs: Readonly<Record<"p50" | "p95" | "p99" | "max", number>>;
  /** Between two good answers. */
  readonly longestGapMs: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly proxy: ProxyCounts;
  /** Campaigns that were answered and are not there, or are there twice. */
  readonly lost: number;
  readonly doubled: number;
  readonly conversions: {
    readonly published: number;
    readonly decided: number;
    readonly spent: number;
    readonly room: number;
  };
  readonly differences: readonly string[];
}

const CAMPAIGNS = 4;
/** Each campaign's budget, as a share of what is asked of it: half of the conversions find none left. */
const BUDGET_SHARE = 0.5;
const SETTLE_MS = 60_000;

/** Requests at a steady rate through HAProxy while its nodes die in turn, and conversions by events beside them. */
export async function benchAvailability(
  stack: Stack,
  report: Report,
  options: AvailabilityOptions,
): Promise<void> {
  const { rate, seconds, every, back } = options;
  const figures = await stack.withDatabase(async () => {
    await stack.emptyVhost();
    return Proxied.with(stack, async (proxied) => {
      const campaigns = await activeCampaigns(proxied.port, seconds);
      const over = new AbortController();
      const before = await proxied.counts();
      const faults = injectFaults(stack, proxied, { every, back, over: over.signal, report });
      const conversions = publishConversions(stack, campaigns, over.signal);
      const ended = await sendLoad({ port: proxied.port, ratePerS: rate, seconds, signal: stack.signal });
      over.abort();
      const after = await proxied.counts();
      const injected = await faults;
      const published = await conversions;
      stack.signal.throwIfAborted();
      return withPool(stack.settings, { role: "admin", applicationName: "payments-bench" }, async (pool) => {
        await pool.query("SET ROLE payments_owner");
        await settled(stack, pool, published);
        return {
          ...figuresOf(ended),
          faults: injected,
          proxy: { requests: after.requests - before.requests, attempts: after.attempts - before.attempts },
          ...(await madeOf(pool, ended)),
          conversions: { published, ...(await spendsOf(pool, campaigns)) },
          // The load tells conversions in the collector's place, which so knows of none.
          differences: (await auditOf(stack)).filter((line) => !line.startsWith("collector, campaigns |")),
        };
      });
    });
  });
  await report.save({ options, ...figures });
  report.print(render(figures));
}

async function activeCampaigns(port: number, seconds: number): Promise<readonly string[]> {
  const budget = Math.max(1, Math.round((seconds * CONVERSIONS_PER_S * BUDGET_SHARE) / CAMPAIGNS));
  const url = `http://127.0.0.1:${port}/campaigns`;
  const headers = { "content-type": "application/json" };
  const ids: string[] = [];
  for (let place = 0; place < CAMPAIGNS; place += 1) {
    const body = JSON.stringify({ name: `spending ${place}`, budget: String(budget), currency: "USD" });
    const { id } = (await (await fetch(url, { method: "POST", headers, body })).json()) as { id: string };
    await fetch(`${url}/${id}/activate`, { method: "PATCH" });
    ids.push(id);
  }
  return ids;
}

/** @returns how many of each fault there were. */
async function injectFaults(
  stack: Stack,
  { nodes }: Proxied,
  { every, back, over, report }: { every: number; back: number; over: AbortSignal; report: Report },
): Promise<Readonly<Record<string, number>>> {
  const ending = AbortSignal.any([over, stack.signal]);
  const names = Object.keys(FAULTS) as Fault[];
  const counts: Record<string, number> = {};
  const wait = (seconds: number) =>
    sleep(seconds * 1_000, undefined, { signal: ending }).catch(() => undefined);
  for (let place = 0; ; place += 1) {
    await wait(place === 0 ? every : every - back);
    if (ending.aborted) {
      return counts;
    }
    const name = names[place % names.length] as Fault;
    const number = place % 2;
    report.say(`node ${number + 1}: ${name}`);
    const undo = await FAULTS[name](nodes[number] as (typeof nodes)[number]);
    counts[name] = (counts[name] ?? 0) + 1;
    await wait(back);
    await undo().catch((error: unknown) =>
      report.say(`node ${number + 1} did not come back: ${messageOf(error)}`),
    );
  }
}

/** When every conversion is decided, and nothing waits to be told. */
async function settled(stack: Stack, pool: Pool, published: number): Promise<void> {
  const all = async () => {
    const { rows } = await pool.query<{ waiting: boolean }>(
      `SELECT (SELECT count(*) FROM campaigns.spend) < $1 OR EXISTS (SELECT FROM campaigns.outbox)
              OR EXISTS (SELECT FROM campaigns.campaign WHERE unannounced_since IS NOT NULL) AS waiting`,
      [published],
    );
    return rows[0]?.waiting === false;
  };
  await until("conversions to be decided", all, { withinMs: SETTLE_MS, signal: stack.signal });
}

function figuresOf(
  ended: readonly Ended[],
): Pick<Figures, "requests" | "failures" | "least" | "latencyMs" | "longestGapMs"> {
  const failures: Record<string, number> = {};
  for (const { kind, failure } of ended.filter((each) => each.failure !== undefined)) {
    const what = `${kind} ${failure}`;
    failures[what] = (failures[what] ?? 0) + 1;
  }
  const good = ended.filter(({ failure }) => failure === undefined);
  const times = good.map(({ endedMs }) => endedMs).sort((a, b) => a - b);
  const gaps = times.slice(1).map((time, i) => time - (times[i] as number));
  const { p50Ms, p95Ms, p99Ms } = latenciesOf(good.map(({ tookMs }) => Math.max(1, tookMs * 1_000)));
  const max = good.reduce((most, { tookMs }) => Math.max(most, tookMs), 0);
  return {
    requests: ended.length,
    failures,
    least: 100 * (1 - failureBound(ended.length - good.length, ended.length)),
    latencyMs: { p50: p50Ms, p95: p95Ms, p99: p99Ms, max },
    longestGapMs: gaps.reduce((most, gap) => Math.max(most, gap), 0),
  };
}

async function madeOf(pool: Pool, ended: readonly Ended[]): Promise<Pick<Figures, "lost" | "doubled">> {
  const posts = ended.filter(({ kind }) => kind === "POST");
  const answered = posts.filter(({ campaignId }) => campaignId !== undefined);
  const { rows } = await pool.query<{ lost: number; doubled: number }>(
    `SELECT (SELECT count(*) FROM unnest($1::uuid[], $2::text[]) AS a (campaign_id, name)
             LEFT JOIN campaigns.campaign c ON c.campaign_id = a.campaign_id AND c.name = a.name WHERE c.campaign_id IS NULL)::integer AS lost,
            (SELECT count(*) - count(DISTINCT name) FROM campaigns.campaign)::integer AS doubled`,
    [answered.map(({ campaignId }) => campaignId), answered.map(({ index }) => nameOf(index))],
  );
  return rows[0] as { lost: number; doubled: number };
}

async function spendsOf(pool: Pool, campaigns: readonly string[]) {
  const { rows } = await pool.query<{ decided: number; spent: number; room: number }>(
    `SELECT (SELECT count(*) FROM campaigns.spend)::integer AS decided,
            (SELECT count(*) FROM campaigns.spend WHERE outcome = 'spent')::integer AS spent,
            (SELECT sum(budget) / 100 FROM campaigns.campaign WHERE campaign_id = ANY ($1::uuid[]))::integer AS room`,
    [campaigns],
  );
  return rows[0] as { decided: number; spent: number; room: number };
}

function render(figures: Figures): string {
  const {
    requests,
    failures,
    least,
    latencyMs,
    longestGapMs,
    faults,
    proxy,
    lost,
    doubled,
    conversions,
    differences,
  } = figures;
  const list = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts)
      .map(([what, count]) => `${count} × ${what}`)
      .join(", ") || "none";
  const ms = (value: number) => `${value.toFixed(0)} ms`;
  return formatTable(
    ["availability of campaigns", ""],
    [
      ["requests", String(requests)],
      ["failures", list(failures)],
      ["answered, at 95 % confidence", `>= ${least.toFixed(3)} %`],
      [
        "p50, p95, p99, longest",
        [latencyMs.p50, latencyMs.p95, latencyMs.p99, latencyMs.max].map(ms).join(", "),
      ],
      ["longest time without a good answer", ms(longestGapMs)],
      ["faults", list(faults)],
      ["attempts by the proxy", `${proxy.attempts} for ${proxy.requests} requests`],
      ["campaigns lost, doubled", `${lost}, ${doubled}`],
      ["conversions published (each twice), decided", `${conversions.published}, ${conversions.decided}`],
      ["spent, of budgets for", `${conversions.spent}, ${conversions.room}`],
      ["differences of the audit", differences.length === 0 ? "none" : differences.slice(0, 5).join("; ")],
    ],
  );
}
