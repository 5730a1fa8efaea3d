import { Command } from "commander";
import { type ActionWrapper, type CommandContext, printResult } from "../../../lib/cli/command.js";
import { formatTable } from "../../../lib/cli/table.js";
import type { Pool } from "../../../lib/postgres/pool.js";
import { createServicePool } from "../../../lib/postgres/service_pool.js";
import { type WebhookState, WebhookTable, webhookState } from "../../../lib/webhook/table.js";

export function webhooksCommand(action: ActionWrapper): Command {
  const webhooks = new Command("webhooks").description("the webhooks that tell of payments");
  webhooks
    .command("status")
    .description("how many wait and since when, how many were given up, and whether they are stopped")
    .action(
      action((context, _options: object) =>
        withWebhooks(context, async (pool) => {
          const state = await webhookState(pool, "saga");
          printResult(context, state, () => report(state));
        }),
      ),
    );
  webhooks
    .command("resume")
    .description("send again what was stopped because the receiver answered 410")
    .option("--failed", "begin anew with those that were given up, too")
    .action(
      action((context, { failed = false }: { failed?: boolean }) =>
        withWebhooks(context, async (pool) => {
          const table = new WebhookTable(pool, "saga");
          const retried = failed ? await table.retryFailed() : 0;
          const resumed = await table.resume();
          const said = resumed ? "webhooks are sent again" : "webhooks were not stopped";
          printResult(
            context,
            { resumed, retried },
            () => `${said}${failed ? `; ${retried} begin anew` : ""}`,
          );
        }),
      ),
    );
  return webhooks;
}

async function withWebhooks(
  { settings }: CommandContext,
  work: (pool: Pool) => Promise<void>,
): Promise<undefined> {
  const pool = createServicePool(settings, {
    role: "payments_saga",
    schema: "saga",
    max: 1,
    applicationName: "payments webhooks",
    bulk: true,
  });
  try {
    await work(pool);
  } finally {
    await pool.end();
  }
}

const report = ({ pending, oldestAgeS, givenUp, stopped }: WebhookState) =>
  formatTable(
    ["pending", "oldest (s)", "given up", "stopped"],
    [[String(pending), String(Math.round(oldestAgeS)), String(givenUp), stopped ? "yes" : "no"]],
  );
