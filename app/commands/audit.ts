import { Command } from "commander";
import { type ActionWrapper, print, printJson, withDatabase } from "../../lib/cli/command.js";
import { formatTable } from "../../lib/cli/table.js";
import { EXIT } from "../../lib/errors.js";
import { keepResult } from "../../lib/postgres/audit_result.js";
import { type Pool, transaction } from "../../lib/postgres/pool.js";
import { quoteName } from "../../lib/postgres/sql.js";
import type { Module } from "../../lib/runtime/module.js";

/** What is younger counts as in flight: an event takes milliseconds, and its retries 14 s. */
const GRACE_S = 60;
/** More tell nothing new to a person; --json has all. */
const SHOWN = 50;

interface Difference {
  readonly module: string;
  readonly what: string;
  readonly expected: string;
  readonly found: string;
}

export function auditCommand(action: ActionWrapper, modules: readonly Module[]): Command {
  return new Command("audit")
    .description("prove that the services' books agree; exit 3 names what differs")
    .option("--quiesced", "nothing is in flight: allow nothing to wait")
    .action(
      action(async (context, { quiesced = false }: { quiesced?: boolean }) => {
        const differences = await withDatabase(context, async (pool) => {
          const found = await audit(pool, modules, quiesced ? 0 : GRACE_S);
          await keepResult(pool, { differences: found.length, quiesced });
          return found;
        });
        if (context.json) {
          printJson({ differences });
        } else {
          print(report(differences));
        }
        return differences.length === 0 ? EXIT.ok : EXIT.mismatch;
      }),
    );
}

/**
 * Every module's view `<schema>.audit_difference`, all of one moment. The views say what must hold; a row is a violation.
 *
 * @param graceS what waits may be this old, in seconds
 */
async function audit(pool: Pool, modules: readonly Module[], graceS: number): Promise<readonly Difference[]> {
  const views = modules.flatMap(({ name, views: own }) =>
    own.filter((view) => view.endsWith(".audit_difference")).map((view) => ({ module: name, view })),
  );
  return transaction(pool, async (tx) => {
    await tx.query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY");
    await tx.query("SELECT set_config('payments.audit_grace_s', $1, true)", [String(graceS)]);
    const differences: Difference[] = [];
    for (const { module, view } of views) {
      const { rows } = await tx.query<Omit<Difference, "module">>(
        `SELECT what, expected, found FROM ${quoteName(view)} ORDER BY what`,
      );
      differences.push(...rows.map((row) => ({ module, ...row })));
    }
    return differences;
  });
}

function report(differences: readonly Difference[]): string {
  if (differences.length === 0) {
    return "audited: the books agree";
  }
  const shown = differences
    .slice(0, SHOWN)
    .map(({ module, what, expected, found }) => [module, what, expected, found]);
  const more = differences.length > SHOWN ? [`and ${differences.length - SHOWN} more; --json has all`] : [];
  return [formatTable(["module", "what", "expected", "found"], shown), ...more].join("\n");
}
