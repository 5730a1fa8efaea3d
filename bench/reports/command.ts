import { setTimeout as sleep } from "node:timers/promises";
import { formatCount, formatTable } from "../../lib/cli/table.js";
import type { Pool } from "../../lib/postgres/pool.js";
import { withPool } from "../../lib/postgres/with_pool.js";
import { Fleet } from "../payments/fleet.js";
import { type ProcessorTime, processorClock, timeEach } from "../payments/processor.js";
import { MAIN } from "../platform_process.js";
import { run, until } from "../process.js";
import type { Report } from "../report.js";
import type { Stack } from "../stack.js";
import { Checker } from "./check.js";
import { type ReadFigures, readOpenLoop } from "./readers.js";
import { Teller } from "./teller.js";

export interface SwitchOptions {
  /** Reads a second. */
  readonly rate: number;
  readonly seconds: number;
  readonly switches: number;
  /** Events a second meanwhile. */
  readonly events: number;
  /** Payouts before it begins. */
  readonly history: number;
}

/** What `payments reports rebuild --json` says, as far as it is read here. */
interface Rebuilt {
  readonly kind: string;
  readonly generation: number;
  readonly position: number;
}

const ARCHIVE_MS = 300_000;

/**
 * Scenario 9: the report is read from two processes at a steady rate, while it is switched between v1 and v2, events come, and it is
 * rebuilt and swapped. No answer may fail, be mixed, or be older than a switch that was answered before it was asked for.
 */
export async function benchSwitch(stack: Stack, report: Report, options: SwitchOptions): Promise<void> {
  await stack.withDatabase(async () => {
    await stack.emptyVhost();
    await Fleet.with(stack, { processes: [["reports"], ["reports"]] }, (fleet) =>
      withPool(stack.settings, { role: "admin", applicationName: "payments-bench" }, (pool) =>
        Teller.with(stack, (teller) =>
          measure({ stack, report, options, pool, teller, urls: fleet.urls, pids: fleet.pids }),
        ),
      ),
    );
  });
}

interface Bench {
  readonly stack: Stack;
  readonly report: Report;
  readonly options: SwitchOptions;
  readonly pool: Pool;
  readonly teller: Teller;
  readonly urls: readonly string[];
  readonly pids: readonly number[];
}

async function measure(bench: Bench): Promise<void> {
  const { stack, report, options, pool, teller, urls } = bench;
  const { rate, seconds, events, history } = options;
  report.say(`${formatCount(history)} payouts are told`);
  await teller.tell(history);
  await allArchived(bench);
  await stack.checkpoint();
  report.say(
    `${rate} reads/s and ${events} events/s for ${seconds} s, ${options.switches} switches, a rebuild`,
  );
  const checker = new Checker();
  const stop = new AbortController();
  const clock = await processorClock(stack, () => bench.pids);
  const before = clock();
  let epoch = 0;
  const reading = readOpenLoop({ urls, ratePerS: rate, checker, epoch: () => epoch, signal: stop.signal });
  const telling = teller.tellOn(events, stop.signal);
  const toldBefore = teller.told;
  const startMs = performance.now();
  const switching = switchOn(bench, (answered) => {
    epoch = Math.max(epoch, answered);
  });
  await sleep((seconds * 1_000) / 4);
  const rebuildMs = performance.now();
  const rebuilt = await rebuild(stack);
  const rebuildS = (performance.now() - rebuildMs) / 1_000;
  await switching;
  await sleep(Math.max(0, seconds * 1_000 - (performance.now() - startMs)));
  stop.abort();
  const [figures] = await Promise.all([reading, telling]);
  const cpuUs = timeEach(before, clock(), figures.sent);
  const tookS = (performance.now() - startMs) / 1_000;
  await allArchived(bench);
  const wrong = await wrongEpochs(pool, checker.seen);
  const { rowCount: differences } = await pool
    .query("SET payments.audit_grace_s = 0")
    .then(() => pool.query("SELECT FROM reports.audit_difference"));
  const errors = [...checker.errors.values()].reduce((sum, count) => sum + count, 0);
  const mixed = checker.mixed.length + wrong.length;
  const eventsPerS = (teller.told - toldBefore) / tookS;
  const told = {
    figures,
    errors: Object.fromEntries(checker.errors),
    mixed: [...checker.mixed, ...wrong].slice(0, 20),
  };
  await report.save({ options, ...told, rebuilt, rebuildS, eventsPerS, differences, cpuUs });
  for (const [what, count] of checker.errors) {
    report.say(`  failed: ${count} × ${what}`);
  }
  for (const problem of told.mixed.slice(0, 5)) {
    report.say(`  mixed: ${problem}`);
  }
  report.print(
    render({
      ...{ options, figures, errors, mixed, rebuilt, rebuildS, eventsPerS, tookS, cpuUs },
      differences: differences ?? 0,
    }),
  );
}

/** Switches to and fro, evenly over the time that there is. @param onAnswer told the epoch of each answer */
async function switchOn({ urls, options: { switches, seconds } }: Bench, onAnswer: (epoch: number) => void) {
  for (let i = 0; i < switches; i++) {
    await sleep((seconds * 1_000) / (switches + 1));
    const response = await fetch(`${urls[i % urls.length]}/api/reports/version`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ version: i % 2 === 0 ? "v2" : "v1" }),
    });
    if (!response.ok) {
      throw new Error(`a switch was answered ${response.status}: ${await response.text()}`);
    }
    onAnswer(((await response.json()) as { epoch: number }).epoch);
  }
}

async function rebuild(stack: Stack): Promise<Rebuilt> {
  const stdout = await run([process.execPath, MAIN, "reports", "rebuild", "--json"], {
    env: stack.settings,
    signal: stack.signal,
  });
  return JSON.parse(stdout) as Rebuilt;
}

async function allArchived({ stack, pool, teller }: Bench): Promise<void> {
  const position = async () =>
    (await pool.query<{ position: number }>("SELECT position FROM reports.head")).rows[0]?.position ?? 0;
  await until("events to be archived", async () => (await position()) === teller.told, {
    withinMs: ARCHIVE_MS,
    signal: stack.signal,
  });
}

/** Answers of an epoch that was another version's or generation's, as the database says. */
async function wrongEpochs(pool: Pool, seen: ReadonlySet<string>): Promise<readonly string[]> {
  const { rows } = await pool.query<{ was: string }>(
    "SELECT concat_ws(' ', epoch, version, generation) AS was FROM reports.switch",
  );
  const right = new Set(rows.map(({ was }) => was));
  return [...seen]
    .filter((each) => !right.has(each))
    .map((each) => `an answer of epoch, version, generation ${each}`);
}

function render(measured: {
  readonly options: SwitchOptions;
  readonly figures: ReadFigures;
  readonly errors: number;
  readonly mixed: number;
  readonly rebuilt: Rebuilt;
  readonly rebuildS: number;
  readonly eventsPerS: number;
  readonly differences: number;
  readonly tookS: number;
  /** A read, with what events, switches and rebuild take. */
  readonly cpuUs: ProcessorTime;
}): string {
  const { options, figures, errors, mixed, rebuilt, rebuildS, eventsPerS, differences, tookS, cpuUs } =
    measured;
  const { sent, p50, p99, max } = figures;
  const head = [
    "reads",
    "a second",
    "p50 ms",
    "p99 ms",
    "max ms",
    "events/s",
    "events rebuilt",
    "rebuild s",
    "CPU us: node",
    "postgres",
  ];
  const row = [
    ...[sent, Math.round(sent / tookS), p50, p99, max, eventsPerS.toFixed(0)],
    ...[rebuilt.position, rebuildS.toFixed(1), cpuUs.node, cpuUs.postgres],
  ];
  const goal = (what: string, found: number, target: string, reached: boolean) => [
    ...[what, formatCount(found), target, reached ? "reached" : "MISSED"],
  ];
  const goals = [
    goal("reads/s", Math.round(sent / tookS), `>= ${options.rate}`, sent >= options.rate * tookS * 0.99),
    goal("failed reads", errors, "0", errors === 0),
    goal("mixed or old answers", mixed, "0", mixed === 0),
    goal("switches", options.switches, ">= 20", options.switches >= 20),
    goal("events/s while rebuilding", Math.round(eventsPerS), ">= 50", eventsPerS >= 49),
    goal("generation served after the rebuild", rebuilt.generation, "2", rebuilt.kind === "swapped"),
    goal("differences of the audit", differences, "0", differences === 0),
  ];
  return `${formatTable(head, [row])}\n\n${formatTable(["goal", "found", "target", ""], goals)}`;
}
