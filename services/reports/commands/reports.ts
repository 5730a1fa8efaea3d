import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { Command } from "commander";
import { type ActionWrapper, type CommandContext, printResult } from "../../../lib/cli/command.js";
import { formatCount, formatTable } from "../../../lib/cli/table.js";
import { EXIT } from "../../../lib/errors.js";
import type { Pool } from "../../../lib/postgres/pool.js";
import { createServicePool } from "../../../lib/postgres/service_pool.js";
import { discard, type Rebuilt, rebuild } from "../rebuild.js";

export function reportsCommand(action: ActionWrapper): Command {
  const reports = new Command("reports").description("the read model of report-service");
  reports
    .command("rebuild")
    .description(
      "make the read model again from the archive, beside the one that is served, and swap when both agree",
    )
    .option("--accept-difference", "swap although they differ, as a call before has shown", false)
    .action(
      action(async (context, { acceptDifference }: { acceptDifference: boolean }) => {
        const rebuilt = await withReports(context, (pool) =>
          rebuild({
            pool,
            acceptDifference,
            rebuilder: rebuilderName(),
            by: "payments reports rebuild",
            signal: context.interruption(),
            onStep: ({ position, head }) =>
              context.logger.debug({ position: String(position), head: String(head) }, "projected"),
          }),
        );
        printResult(context, asJson(rebuilt), () => asText(rebuilt));
        return EXITS[rebuilt.kind];
      }),
    );
  reports
    .command("discard")
    .description("throw away what a rebuild made and nobody serves")
    .action(
      action(async (context, _options: object) => {
        const generation = await withReports(context, (pool) => discard(pool, rebuilderName()));
        printResult(context, { generation }, () => `generation ${generation} is discarded`);
        return undefined;
      }),
    );
  return reports;
}

const EXITS: Readonly<Record<Rebuilt["kind"], number>> = {
  swapped: EXIT.ok,
  differs: EXIT.mismatch,
  interrupted: EXIT.interrupted,
};

const rebuilderName = () => `${hostname().slice(0, 24)}:${process.pid}:${randomBytes(4).toString("hex")}`;

/** For what is no request: as the service's role, with statements that may take any time. */
export async function withReports<T>(
  { settings }: Pick<CommandContext, "settings">,
  work: (pool: Pool) => Promise<T>,
): Promise<T> {
  const pool = createServicePool(settings, {
    role: "payments_reports",
    schema: "reports",
    max: 2,
    applicationName: "payments reports",
    bulk: true,
  });
  try {
    return await work(pool);
  } finally {
    await pool.end();
  }
}

/** JSON has no bigint. */
const asJson = (rebuilt: Rebuilt) =>
  "position" in rebuilt ? { ...rebuilt, position: Number(rebuilt.position) } : rebuilt;

function asText(rebuilt: Rebuilt): string {
  const { kind, generation } = rebuilt;
  if (kind === "interrupted") {
    return `generation ${generation} is not done; call this again to go on`;
  }
  const events = formatCount(Number(rebuilt.position));
  if (kind === "swapped") {
    return `generation ${generation} of ${events} events is served, since epoch ${rebuilt.epoch}`;
  }
  const rows = rebuilt.first.map(({ what, served, rebuilt: again }) => [what, served, again]);
  return [
    formatTable(["what", "served", "rebuilt"], rows),
    `${formatCount(rebuilt.differences)} differences after ${events} events: what was served still is.`,
    `To serve generation ${generation}: payments reports rebuild --accept-difference. To drop it: payments reports discard.`,
  ].join("\n");
}
