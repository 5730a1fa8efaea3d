import { Command } from "commander";
import { type ActionWrapper, type CommandContext, printResult } from "../../lib/cli/command.js";
import { formatCount } from "../../lib/cli/table.js";
import { EXIT } from "../../lib/errors.js";
import { requireSchema } from "../../lib/postgres/history.js";
import { createPool } from "../../lib/postgres/pool.js";
import { createServicePool } from "../../lib/postgres/service_pool.js";
import { say } from "../../lib/process/stderr.js";
import { readWebhookKeys } from "../../lib/webhook/source_keys.js";
import { KINDS } from "../kinds/kinds.js";
import { type Filled, fillLake } from "../lake/fill.js";
import { Target } from "../load/target.js";
import { runTraffic, type TrafficResult } from "../run.js";
import type { TrafficSettings } from "../settings.js";
import {
  DEFAULT_SPEC,
  PENNILESS,
  readMix,
  readRate,
  readShare,
  readWhole,
  requireSpec,
  type TrafficSpec,
} from "../spec.js";

interface Options extends Omit<TrafficSpec, "ratePerS"> {
  readonly rate: number;
  readonly url?: string;
  readonly walletsUrl?: string;
  readonly campaignsUrl?: string;
  readonly connections: number;
  readonly timeoutS: number;
  readonly partners: boolean;
  readonly lake?: number;
  readonly lakeDatabase: string;
}

const { customers, ...SPEC } = DEFAULT_SPEC;

export function trafficCommand(action: ActionWrapper<TrafficSettings>): Command {
  return new Command("traffic")
    .description("load for the services at a steady rate, and the answer key for payments audit --traffic")
    .option("--rate <n>", "requests, e.g. 1667/s or 100000/min", readRate, SPEC.ratePerS)
    .option("--seconds <n>", "how long", readWhole(1, 86_400), SPEC.seconds)
    .option(
      "--mix <kinds>",
      `of ${KINDS.map(({ name }) => name).join(", ")}, with weights`,
      readMix,
      SPEC.mix,
    )
    .option("--seed <n>", "same seed, same requests", readWhole(0, Number.MAX_SAFE_INTEGER), SPEC.seed)
    .option("--customers <n>", "the last one who pays", readWhole(PENNILESS + 1, customers), customers)
    .option("--hot-share <share>", "of payments that hit the hot customers", readShare, SPEC.hotShare)
    .option("--hot-customers <n>", "how many of them", readWhole(1, 1_000), SPEC.hotCustomers)
    .option("--insufficient-share <share>", "of payments without funds", readShare, SPEC.insufficientShare)
    .option("--fraud-share <share>", "of payments that are fraud", readShare, SPEC.fraudShare)
    .option("--partners", "the same as --mix partners=1: events of partners", false)
    .option("--duplicate-share <share>", "of partners' events told again", readShare, SPEC.duplicateShare)
    .option("--disorder-share <share>", "how far out of order they are", readShare, SPEC.disorderShare)
    .option("--refused-share <share>", "of conversions that campaigns refuse", readShare, SPEC.refusedShare)
    .option("--url <url>", "where `payments serve` answers; by default HTTP_HOST and HTTP_PORT")
    .option("--wallets-url <url>", "where the wallets are, if they are not there too")
    .option("--campaigns-url <url>", "where campaigns are made, if that is elsewhere")
    .option("--connections <n>", "most requests under way", readWhole(1, 10_000), 512)
    .option("--timeout-s <n>", "how long an answer is waited for", readWhole(1, 600), 10)
    .option("--lake <rows>", "in place of requests: rows of a data lake, by COPY", readWhole(1, 100_000_000))
    .option("--lake-database <name>", "which one, on the platform's server", "datalake")
    .action(
      action((context: CommandContext<TrafficSettings>, options: Options) =>
        options.lake === undefined
          ? traffic(context, options)
          : lake(context, { ...options, rows: options.lake }),
      ),
    );
}

async function traffic(
  context: CommandContext<TrafficSettings>,
  {
    rate: ratePerS,
    url,
    walletsUrl,
    campaignsUrl,
    connections: maxConnections,
    timeoutS,
    partners,
    lake: _rows,
    lakeDatabase: _database,
    ...rest
  }: Options,
): Promise<number> {
  const { settings, interruption, modules } = context;
  const spec: TrafficSpec = { ...rest, ratePerS, ...(partners ? { mix: { partners: 1 } } : {}) };
  requireSpec(
    spec,
    KINDS.map(({ name }) => name),
  );
  const targetAt = (at: string) => new Target(at, settings.TRAFFIC_API_KEY);
  const target = targetAt(url ?? `http://${settings.HTTP_HOST}:${settings.HTTP_PORT}`);
  const elsewhere = (at: string | undefined) => (at === undefined ? target : targetAt(at));
  const pool = createServicePool(settings, {
    role: "payments_traffic",
    schema: "traffic",
    max: 1,
    applicationName: "payments traffic",
    bulk: true,
  });
  try {
    await requireSchema(pool, modules);
    const signal = interruption();
    const onProgress = ({ ended, inFlight }: { readonly ended: number; readonly inFlight: number }) =>
      say(`payments: ${formatCount(ended)} requests answered, ${inFlight} under way`);
    const timeoutMs = timeoutS * 1_000;
    const result = await runTraffic({
      spec,
      kinds: KINDS,
      target,
      wallets: elsewhere(walletsUrl),
      campaigns: elsewhere(campaignsUrl),
      keys: readWebhookKeys("TRAFFIC_SECRETS", settings.TRAFFIC_SECRETS),
      maxConnections,
      timeoutMs,
      pool,
      signal,
      onProgress,
    });
    printResult(context, result, () => render(result));
    return signal.aborted ? EXIT.interrupted : EXIT.ok;
  } finally {
    await pool.end();
  }
}

async function lake(
  context: CommandContext<TrafficSettings>,
  { rows, seed, lakeDatabase: database }: Options & { readonly rows: number },
): Promise<number> {
  const { settings, interruption, modules } = context;
  const as = { role: "payments_traffic", max: 1, applicationName: "payments traffic" } as const;
  const pool = createServicePool(settings, { ...as, schema: "traffic", bulk: true });
  const lakePool = createPool(settings, { ...as, role: "app", database, session: { role: as.role } });
  try {
    await requireSchema(pool, modules);
    const filled = await fillLake({ pool, lake: lakePool }, { rows, seed }, interruption());
    printResult(context, filled, () => renderFilled(filled));
    return EXIT.ok;
  } finally {
    await Promise.all([pool.end(), lakePool.end()]);
  }
}

const renderFilled = ({ traffic: id, rows, seconds }: Filled) =>
  `traffic ${id}: ${formatCount(rows)} rows in ${seconds.toFixed(1)} s, ${formatCount(rows / seconds)} a second
what must have come of them after payments lake-poll --once: payments audit --traffic ${id}`;

function render(result: TrafficResult): string {
  const {
    traffic: id,
    sent,
    created,
    refused,
    unknown,
    seconds,
    latencyMs,
    failures,
    lateMs,
    cpuUsPerRequest,
  } = result;
  const { p50, p95, p99, max } = latencyMs;
  const lines = [
    `traffic ${id}: ${formatCount(sent)} requests in ${seconds.toFixed(1)} s, ${formatCount(sent / seconds)} a second`,
    `created ${formatCount(created)}, refused ${formatCount(refused)}, unknown ${formatCount(unknown)}`,
    `latency in ms: p50 ${p50}, p95 ${p95}, p99 ${p99}, most ${max}`,
    ...Object.entries(failures).map(([failure, count]) => `failed: ${formatCount(count)} × ${failure}`),
    `the generator took ${cpuUsPerRequest} us of CPU a request, and was ${lateMs.toFixed(1)} ms late at most`,
    `what must have come of it: payments audit --traffic ${id}`,
  ];
  return lines.join("\n");
}
