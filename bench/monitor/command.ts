import { setTimeout as sleep } from "node:timers/promises";
import type { Account } from "../../app/monitor/account.js";
import { Slots } from "../../lib/broker/slots.js";
import { formatCount, formatTable } from "../../lib/cli/table.js";
import type { Pool } from "../../lib/postgres/pool.js";
import { withPool } from "../../lib/postgres/with_pool.js";
import { Fleet } from "../payments/fleet.js";
import { type ProcessorTime, processorClock, timeEach } from "../payments/processor.js";
import { MAIN } from "../platform_process.js";
import { run, until } from "../process.js";
import type { Report } from "../report.js";
import type { Stack } from "../stack.js";

export interface MonitorOptions {
  /** Open at a time. */
  readonly windows: number;
  /** How long each lasts. */
  readonly seconds: number;
}

/** Windows are opened over one interval, so that their reports are spread evenly. */
const OPEN_WITHIN_MS = 10_000;
/** A crowd of connections would overflow what the kernel lets wait for the reporter. */
const CONNECTIONS = 64;
const DECIDED_WITHIN_MS = 180_000;

/**
 * Windows with errors and omissions by chance, all open at a time; a report of each every ten seconds. In the end each must be closed, or an
 * alert, exactly as its reporter's audit says, and nothing be lost in between.
 */
export async function benchMonitor(stack: Stack, report: Report, options: MonitorOptions): Promise<void> {
  await stack.withDatabase(async () => {
    await stack.emptyVhost();
    const processes = [["monitor", "monitor-queue"], ["reporter"]];
    await Fleet.with(stack, { processes }, (fleet) =>
      withPool(stack.settings, { role: "admin", applicationName: "payments-bench" }, (pool) =>
        measure({ stack, report, options, pool, fleet }),
      ),
    );
  });
}

interface Bench {
  readonly stack: Stack;
  readonly report: Report;
  readonly options: MonitorOptions;
  readonly pool: Pool;
  readonly fleet: Fleet;
}

async function measure({ stack, report, options, pool, fleet }: Bench): Promise<void> {
  const { windows, seconds } = options;
  report.say(
    `${formatCount(windows)} windows of ${seconds} s, about ${formatCount(windows / 10)} reports a second`,
  );
  const clock = await processorClock(stack, () => fleet.pids);
  const before = clock();
  const startMs = performance.now();
  await openAll(fleet.urlOf("reporter"), options);
  const openedS = (performance.now() - startMs) / 1_000;
  const left = () => count(pool, "SELECT count(*) AS n FROM reporter.report_window WHERE audited_at IS NULL");
  await until("windows to end", async () => (await left()) === 0, {
    withinMs: (seconds + 60) * 1_000,
    signal: stack.signal,
  });
  const tookS = (performance.now() - startMs) / 1_000;
  const undecided = () =>
    count(pool, "SELECT $1::bigint - count(*) AS n FROM monitor.report_window WHERE decided_at IS NOT NULL", [
      windows,
    ]);
  await until("windows to be decided", async () => (await undecided()) === 0, {
    withinMs: DECIDED_WITHIN_MS,
    signal: stack.signal,
  });
  const ticks = await count(
    pool,
    "SELECT count(*) AS n FROM reporter.tick WHERE outcome = 'sent' AND seq > 0",
  );
  const cpuUs = timeEach(before, clock(), ticks);
  const { rows } = await pool.query<{ p50: number; p99: number; late: number }>(
    `SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM decided_at - deadline)) AS p50,
            percentile_cont(0.99) WITHIN GROUP (ORDER BY extract(epoch FROM decided_at - deadline)) AS p99,
            (SELECT count(*)::integer FROM monitor.report WHERE late) AS late
     FROM monitor.report_window`,
  );
  const accounts = await compare(stack);
  const figures = {
    openedS,
    tookS,
    ticks,
    cpuUs,
    peakMb: fleet.peakMb,
    ...(rows[0] ?? { p50: 0, p99: 0, late: 0 }),
  };
  await report.save({ options, figures });
  report.print(render(options, accounts, figures));
}

/** Each at its time, whatever the answers. */
async function openAll(url: string, { windows, seconds }: MonitorOptions): Promise<void> {
  const startMs = performance.now();
  const slots = new Slots(CONNECTIONS);
  const opening: Promise<void>[] = [];
  for (let i = 0; i < windows; i++) {
    const waitMs = startMs + (i * OPEN_WITHIN_MS) / windows - performance.now();
    if (waitMs > 1) {
      await sleep(waitMs);
    }
    opening.push(slots.run(() => open(url, { seed: i, duration_s: seconds })));
  }
  await Promise.all(opening);
}

/** A refusal that has done nothing is asked again, as its caller would. */
async function open(url: string, body: object): Promise<void> {
  const answer = await fetch(`${url}/report-windows`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (answer.status === 503) {
    await answer.arrayBuffer();
    await sleep(1_000);
    return open(url, body);
  }
  if (answer.status !== 201) {
    throw new Error(`a window was answered ${answer.status}: ${await answer.text()}`);
  }
  await answer.arrayBuffer();
}

/** It exits 3 where something differs, and says so all the same. */
async function compare(stack: Stack): Promise<readonly Account[]> {
  const command = `"$0" "$1" monitor compare --json || [ $? -eq 3 ]`;
  const stdout = await run(["sh", "-c", command, process.execPath, MAIN], {
    env: { ...stack.settings, AUDIT_GRACE_S: 0 },
    signal: stack.signal,
  });
  return (JSON.parse(stdout) as { windows: Account[] }).windows;
}

async function count(pool: Pool, sql: string, values: unknown[] = []): Promise<number> {
  const { rows } = await pool.query<{ n: number }>(sql, values);
  return Number(rows[0]?.n);
}

interface Figures {
  readonly openedS: number;
  readonly tookS: number;
  readonly ticks: number;
  readonly cpuUs: ProcessorTime;
  readonly peakMb: number;
  /** From a window's deadline to its decision, in seconds. */
  readonly p50: number;
  readonly p99: number;
  readonly late: number;
}

function render(
  { windows, seconds }: MonitorOptions,
  accounts: readonly Account[],
  figures: Figures,
): string {
  const { openedS, tookS, ticks, cpuUs, peakMb, p50, p99, late } = figures;
  const complete = ({ sent, expected }: Account) => sent === expected;
  const falseAlerts = accounts.filter((each) => complete(each) && each.state !== "CLOSED").length;
  const missedAlerts = accounts.filter((each) => !complete(each) && each.state !== "ALERT").length;
  const differences = accounts.flatMap((each) => each.differences).length;
  const stalled = accounts.reduce((sum, each) => sum + each.stalled, 0);
  const alerts = accounts.filter(({ state }) => state === "ALERT").length;
  const head = [
    "windows",
    "alerts",
    "reports",
    "a second",
    "stalled",
    "decided p50 s",
    "p99 s",
    "CPU us: node",
    "postgres",
    "MB",
  ];
  const row = [
    ...[accounts.length, alerts, ticks, Math.round(ticks / (tookS - openedS / 2)), stalled],
    ...[p50.toFixed(1), p99.toFixed(1), cpuUs.node, cpuUs.postgres, Math.round(peakMb)],
  ];
  const goal = (what: string, found: number, target: string, reached: boolean) => [
    ...[what, formatCount(found), target, reached ? "reached" : "MISSED"],
  ];
  const goals = [
    goal("windows open at a time", accounts.length, ">= 10,000", windows >= 10_000 && openedS < seconds),
    goal("false alerts", falseAlerts, "0", falseAlerts === 0),
    goal("missed alerts", missedAlerts, "0", missedAlerts === 0),
    goal("reports that came late", late, "0", late === 0),
    goal("differences of the comparison", differences, "0", differences === 0),
  ];
  return `${formatTable(head, [row])}\n\n${formatTable(["goal", "found", "target", ""], goals)}`;
}
