import { Command, InvalidArgumentError } from "commander";
import { type ActionWrapper, type CommandContext, printResult } from "../../../lib/cli/command.js";
import { formatCount } from "../../../lib/cli/table.js";
import { EXIT } from "../../../lib/errors.js";
import { createRegistry, register } from "../../../lib/observability/registry.js";
import { requireSchema } from "../../../lib/postgres/history.js";
import { createServicePool } from "../../../lib/postgres/service_pool.js";
import { say } from "../../../lib/process/stderr.js";
import { housekeeping } from "../../../lib/runtime/housekeeping.js";
import { Lifecycle } from "../../../lib/runtime/lifecycle.js";
import type { Settings } from "../../../lib/settings/base.js";
import { pause } from "../../../lib/timing.js";
import { IngestError } from "../errors.js";
import { Intake } from "../intake.js";
import { createLakePool, LANES, type Polled, Poller } from "../lake/poller.js";
import { unmarkRows } from "../lake/table.js";
import { learningOf } from "../learning/learning_of.js";
import { ingestMetrics } from "../metrics.js";
import type { IngestSettings } from "../settings.js";

type Context = CommandContext<Settings & IngestSettings>;

interface Options {
  readonly once?: boolean;
  readonly againSince?: Date;
}

/** `payments lake-poll`: what `payments serve` does too, in a process of its own or just once. */
export function lakePollCommand(action: ActionWrapper<Settings & IngestSettings>): Command {
  return new Command("lake-poll")
    .description("bring what waits in the data lake to ingest; any number of them at once")
    .option("--once", "not again every POLL_INTERVAL_SECONDS")
    .option(
      "--again-since <time>",
      "first take back the marks made since then: after a restore of ingest",
      readTime,
    )
    .action(action(poll));
}

async function poll(context: Context, { once = false, againSince }: Options): Promise<number> {
  const { settings, logger, modules, interruption } = context;
  const { DATALAKE_DATABASE_URL: url, POLL_INTERVAL_SECONDS: everyS } = settings;
  if (url === "") {
    throw new IngestError("LAKE_UNSET", "there is no data lake: DATALAKE_DATABASE_URL is not set.", {
      hint: "scripts/stack.sh env sets it for the local stack.",
    });
  }
  const applicationName = "payments lake-poll";
  const lake = createLakePool(url, applicationName);
  // One more for what is learned meanwhile.
  const of = { role: "payments_ingest", schema: "ingest", max: LANES + 1 } as const;
  const pool = createServicePool(settings, { ...of, applicationName });
  const metrics = register(createRegistry(), ingestMetrics);
  const learning = learningOf(settings, { pool: () => pool, metrics, logger });
  const parts = new Lifecycle(() => [housekeeping(learning.chores, logger), learning.part]);
  const signal = interruption();
  try {
    await requireSchema(pool, modules);
    if (againSince !== undefined) {
      const rows = await unmarkRows(lake, againSince);
      say(`payments: ${formatCount(rows)} rows wait again`);
    }
    await parts.start();
    const intake = new Intake({ pool, normaliser: learning, connections: LANES, metrics });
    const poller = new Poller({ pool: lake, intake, logger });
    do {
      const polled = await poller.drain(signal);
      printResult(context, polled, () => textOf(polled));
      await (once ? undefined : pause(everyS * 1_000, signal));
    } while (!once && !signal.aborted);
    return once && signal.aborted ? EXIT.interrupted : EXIT.ok;
  } finally {
    await parts.stop();
    await Promise.all([pool.end(), lake.end()]);
  }
}

const textOf = ({ taken, refused }: Polled) =>
  `${formatCount(taken)} rows taken${refused > 0 ? `, ${formatCount(refused)} refused: see the log` : ""}`;

function readTime(text: string): Date {
  const at = new Date(text);
  if (!/^\d{4}-\d{2}-\d{2}T.*(Z|[+-]\d{2}:\d{2})$/.test(text) || Number.isNaN(at.getTime())) {
    throw new InvalidArgumentError("It takes a time with its zone, e.g. 2026-11-26T10:00:00Z.");
  }
  return at;
}
