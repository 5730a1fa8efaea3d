import { DeadLetters } from "../../lib/broker/dead_letters.js";
import { brokerOptions, withPublisher } from "../../lib/cli/broker.js";
import { type CommandContext, withDatabase } from "../../lib/cli/command.js";
import { parseBody } from "../../lib/messaging/read_event.js";
import { type Pool, transaction } from "../../lib/postgres/pool.js";
import { loadSql } from "../../lib/postgres/sql.js";
import { monitorReport, reportId } from "../../services/contracts/report.js";
import { REPORTS } from "../../services/monitor_queue/queues.js";
import { type Account, accountOf, type ComparedWindow } from "./account.js";

/** The books of all windows of 28 days, or of one; `graceS`: what ended later is in flight. */
export async function compareWindows(
  context: CommandContext,
  { windowUuid, graceS }: { readonly windowUuid: string | undefined; readonly graceS: number },
): Promise<readonly Account[]> {
  const options = brokerOptions(context);
  return withDatabase(context, async (pool) => {
    // Asked first: what is sent later is of windows that are not over.
    const waiting = await withPublisher(options, [REPORTS], (publisher) =>
      publisher.messagesIn(REPORTS.work),
    );
    const windows = await transaction(pool, async (tx) => {
      await tx.query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY");
      await tx.query("SELECT set_config('payments.audit_grace_s', $1, true)", [String(graceS)]);
      const { rows } = await tx.query<ComparedWindow>(loadSql("compare_windows"), [windowUuid ?? null]);
      return rows;
    });
    // A declaration, too, where the monitor knows of nothing else.
    const unaccounted = windows.flatMap(({ windowUuid: window_uuid, state, unaccounted: seqs }) =>
      [...(state === null ? [0] : []), ...seqs].map((seq) => reportId({ window_uuid, seq })),
    );
    const dead = await deadLettersOf(pool, options, unaccounted);
    const isDeadLetter = (window_uuid: string, seq: number) => dead.has(reportId({ window_uuid, seq }));
    return windows.map((window) => accountOf(window, { isDeadLetter, queueIsEmpty: waiting === 0 }));
  });
}

/** Those of the reports that lie among the dead letters, or did: what was thrown away stays in the record. */
async function deadLettersOf(
  pool: Pool,
  options: ReturnType<typeof brokerOptions>,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  if (ids.length === 0) {
    return new Set();
  }
  const { rows } = await pool.query<{ id: string }>(
    "SELECT message_id AS id FROM ops.dead_letter WHERE queue = $1 AND message_id = ANY ($2::text[])",
    [REPORTS.deadLetter, ids],
  );
  const dead = new Set(rows.map(({ id }) => id));
  const letters = await DeadLetters.open({ ...options, family: REPORTS });
  try {
    for await (const window of letters.windows()) {
      for (const { body } of window) {
        dead.add(idOf(body));
      }
    }
  } finally {
    await letters.close();
  }
  return dead;
}

/** By what it says: who puts a letter there may have given it any id. */
function idOf(body: Buffer): string {
  try {
    return reportId(parseBody(monitorReport.schema, body));
  } catch {
    return "";
  }
}
