import { randomUUID } from "node:crypto";
import { Command } from "commander";
import { type ActionWrapper, printResult } from "../../lib/cli/command.js";
import { formatTable } from "../../lib/cli/table.js";
import { CoreError } from "../../lib/core_errors.js";
import { codeOf, messageOf } from "../../lib/errors.js";
import { type Pool, type Queryable, transaction } from "../../lib/postgres/pool.js";
import { loadSql, quoteName } from "../../lib/postgres/sql.js";
import { withPool } from "../../lib/postgres/with_pool.js";
import type { Module } from "../../lib/runtime/module.js";

/** What was changed in a module's tables. */
interface Erased {
  readonly module: string;
  readonly what: string;
  readonly rows: number;
}

export function eraseCommand(action: ActionWrapper, modules: readonly Module[]): Command {
  return new Command("erase")
    .description("take a person out of the services' tables; the books stay, under a pseudonym")
    .argument("<customer>", "the customer_id of its payments, the user_id of its wallets")
    .option("--yes", "it cannot be taken back")
    .action(
      action(async (context, customer: string, { yes = false }: { yes?: boolean }) => {
        if (!yes) {
          throw new CoreError("NOT_CONFIRMED", `this would erase ${customer} for good.`, {
            hint: "Say so with --yes.",
          });
        }
        const as = { role: "admin", applicationName: "payments erase" } as const;
        const erased = await withPool(context.settings, as, (pool) => erase(pool, modules, customer));
        printResult(context, { erased }, () =>
          formatTable(
            ["module", "what", "rows"],
            erased.map(({ module, what, rows }) => [module, what, String(rows)]),
          ),
        );
        return undefined;
      }),
    );
}

const IN_USE = "55006";

/**
 * Gives a person one pseudonym in all modules that know of it, in one transaction.
 *
 * @throws CoreError IN_FLIGHT while a payment of the person has not ended, or was given up and the wallet has yet to take that.
 */
async function erase(pool: Pool, modules: readonly Module[], customer: string): Promise<readonly Erased[]> {
  const pseudonym = `erased-${randomUUID()}`;
  return transaction(pool, async (tx) => {
    await tx.query("SET LOCAL ROLE payments_owner");
    await tx.query("SELECT set_config('payments.erasing', 'on', true)");
    const erased: Erased[] = [];
    for (const { name, erases } of modules) {
      if (erases !== undefined) {
        const { rows } = await tx.query<Omit<Erased, "module">>(
          `SELECT what, rows::integer FROM ${quoteName(erases)}($1, $2)`,
          [customer, pseudonym],
        );
        erased.push(...rows.map((row) => ({ module: name, ...row })));
      }
    }
    await requireSettled(tx, pseudonym);
    await tx.query(
      "INSERT INTO ops.erasure (name_digest) VALUES (ops.name_digest($1)) ON CONFLICT DO NOTHING",
      [customer],
    );
    return erased;
  }).catch((error: unknown) => {
    if (codeOf(error) !== IN_USE) {
      throw error;
    }
    throw new CoreError("IN_FLIGHT", `${messageOf(error)}: nothing was erased.`, {
      hint: "Wait until it has ended, at most PAYMENTS_GIVE_UP_S, and call this again.",
    });
  });
}

/**
 * Commands in the broker have the old name: a refund would be refused as another user's, and a debit would enter the name again.
 * Asked under the pseudonym, when all rows that have it are locked: what they say stays true until the commit.
 */
async function requireSettled(tx: Queryable, pseudonym: string): Promise<void> {
  const { rows } = await tx.query<{ payment_id: string }>(loadSql("unsettled_payments"), [pseudonym]);
  if (rows.length > 0) {
    const ids = rows.map(({ payment_id }) => payment_id).join(", ");
    throw new CoreError("IN_FLIGHT", `the wallet has not settled ${ids}: nothing was erased.`, {
      hint: "Let the wallet take what waits in its queues, replay its dead letters, and call this again.",
    });
  }
}
