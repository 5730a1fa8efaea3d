import { formatCount, formatTable } from "../../lib/cli/table.js";
import type { Layout } from "./fleet.js";
import type { PaymentFigures } from "./measure.js";
import type { WalletFigures } from "./wallet.js";

/** What was measured with a fleet of a layout, and what the audit had to say of it. */
export interface SteadyFigures extends PaymentFigures {
  readonly layout: Layout;
  readonly differences: readonly string[];
}

export interface Measured {
  readonly steady: readonly SteadyFigures[];
  /** The highest rate a minute that was borne, and the first that was not. */
  readonly capacity?: { readonly borne: number; readonly notBorne: number | undefined };
  readonly wallet: readonly WalletFigures[];
}

export interface Goal {
  readonly what: string;
  readonly found: string;
  readonly target: string;
  readonly reached: boolean;
}

const RATE_PER_MIN = 100_000;
const LOWER_RATE_PER_MIN = 80_000;
const POST_P95_MS = 75;
const POST_P95_AT_LOWER_MS = 50;
const SETTLED_P95_MS = 2_000;
const PEAK_MB = 500;
/** Other work takes its share of the cores: how long things take is told, and no goal. */
const BUSY: ReadonlySet<Layout> = new Set(["all", "dump"]);
const DEBITS_PER_S = { spread: 6_000, hot: 3_000 } as const;

/** Whether a rate is borne: all is created and decided, and nobody waits long. */
export function isBorne({ sent, created, pending, postMs, settledMs }: PaymentFigures): boolean {
  return created === sent && pending === 0 && postMs.p95 < POST_P95_MS && settledMs.p95 < SETTLED_P95_MS;
}

/** Of those goals of which there are figures. */
export function goalsOf({ steady, capacity, wallet }: Measured): readonly Goal[] {
  return [
    ...steady.flatMap((figures) => steadyGoals(figures)),
    ...(capacity === undefined ? [] : [capacityGoal(capacity.borne)]),
    ...wallet.map(({ load, debitsPerS }) =>
      atLeast(`wallet alone, ${load}: debits/s`, debitsPerS, DEBITS_PER_S[load]),
    ),
  ];
}

function steadyGoals(figures: SteadyFigures): Goal[] {
  const { layout, ratePerMin, sent, created, pending, postMs, settledMs, differences, peakMb } = figures;
  const of = (what: string) => `${layout}, ${formatCount(ratePerMin)} a minute: ${what}`;
  const postLimit = postLimitMs(ratePerMin);
  const latencies = [
    ...(postLimit === undefined ? [] : [below(of("POST p95 ms"), postMs.p95, postLimit)]),
    below(of("settled p95 ms"), settledMs.p95, SETTLED_P95_MS),
  ];
  return [
    atLeast(of("payments settled"), created - pending, sent),
    ...(BUSY.has(layout) ? [] : latencies),
    { ...below(of("differences of the audit"), differences.length, 1), target: "0" },
    below(of("memory of a process, MB"), peakMb, PEAK_MB),
  ];
}

/** @returns undefined where the rate has no goal of its own. */
function postLimitMs(ratePerMin: number): number | undefined {
  if (ratePerMin >= RATE_PER_MIN) {
    return POST_P95_MS;
  }
  return ratePerMin >= LOWER_RATE_PER_MIN ? POST_P95_AT_LOWER_MS : undefined;
}

const capacityGoal = (borne: number) => atLeast("capacity: payments a minute", borne, RATE_PER_MIN);

export const atLeast = (what: string, found: number, target: number): Goal => ({
  what,
  found: formatCount(found),
  target: `>= ${formatCount(target)}`,
  reached: found >= target,
});
export const below = (what: string, found: number, target: number): Goal => ({
  what,
  found: formatCount(found),
  target: `< ${formatCount(target)}`,
  reached: found < target,
});

/** All tables, for a person. */
export function renderPayments(measured: Measured): string {
  const { steady, wallet } = measured;
  const ms = (value: number) => value.toFixed(1);
  const tables: string[] = [];
  if (steady.length > 0) {
    const head = [
      "layout",
      "a minute",
      "s",
      "created",
      "POST p50",
      "p95",
      "p99",
      "settled p50",
      "p95",
      "drained s",
    ];
    const rows = steady.map(({ layout, ratePerMin, seconds, created, postMs, settledMs, drainedS }) => [
      ...[layout, ratePerMin, seconds, created, ms(postMs.p50), ms(postMs.p95), ms(postMs.p99)],
      ...[ms(settledMs.p50), ms(settledMs.p95), ms(drainedS)],
    ]);
    tables.push(formatTable(head, rows));
    const cpuRows = steady.map(({ layout, ratePerMin, cpuUs, peakMb, lateMs }) => {
      const { node, rabbitmq, postgres, generator } = cpuUs;
      const sum = node + rabbitmq + postgres + generator;
      return [layout, ratePerMin, node, rabbitmq, postgres, generator, sum, Math.round(peakMb), ms(lateMs)];
    });
    tables.push(
      formatTable(
        [
          "layout",
          "a minute",
          "CPU us: node",
          "rabbitmq",
          "postgres",
          "generator",
          "sum",
          "peak MB",
          "generator late ms",
        ],
        cpuRows,
      ),
    );
  }
  if (wallet.length > 0) {
    const rows = wallet.map(({ load, debitsPerS, cpuUs, peakMb }) => [
      ...[load, debitsPerS, cpuUs.node, cpuUs.rabbitmq, cpuUs.postgres, Math.round(peakMb)],
    ]);
    tables.push(
      formatTable(["wallet alone", "debits/s", "CPU us: node", "rabbitmq", "postgres", "peak MB"], rows),
    );
  }
  const goals = goalsOf(measured).map(({ what, found, target, reached }) => [
    ...[what, found, target, reached ? "reached" : "MISSED"],
  ]);
  tables.push(formatTable(["goal", "found", "target", ""], goals));
  return tables.join("\n\n");
}
