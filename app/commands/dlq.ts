import { Command, InvalidArgumentError } from "commander";
import { ETL_QUEUES } from "../../etl/queues.js";
import { DeadLetters } from "../../lib/broker/dead_letters.js";
import { brokerOptions, withPublisher } from "../../lib/cli/broker.js";
import { type ActionWrapper, type CommandContext, printResult, withDatabase } from "../../lib/cli/command.js";
import { formatCount } from "../../lib/cli/table.js";
import { CoreError } from "../../lib/core_errors.js";
import { type Action, type ActionReport, purge, replay } from "../../lib/dead_letters/action.js";
import { type Selection, selectionOf } from "../../lib/dead_letters/selection.js";
import { listLetters, SHOWN, showLetter } from "./dlq_list.js";

const NAME = "payments-dlq";

interface SelectOptions {
  reason?: string;
  all?: boolean;
}

export function dlqCommand(action: ActionWrapper): Command {
  const dlq = new Command("dlq").description("look at dead letters, send them again, delete them");
  dlq
    .command("list")
    .description("dead letters, oldest first, and how many there are of each code")
    .option("--reason <code>", "only letters with this error code")
    .option("--limit <n>", `show at most so many (default: ${SHOWN}, with --json all)`, toLimit)
    .action(
      action(async (context, { reason, limit }: { reason?: string; limit?: number }) => {
        const selection = selectionOf(undefined, reason === undefined ? { all: true } : { reason });
        return withLetters(context, (letters) => listLetters(context, letters, selection, { limit }));
      }),
    );
  dlq
    .command("show")
    .description("a dead letter whole, with headers and body")
    .argument("<id>", "id from the list")
    .action(
      action(async (context, id: string, _options: object) =>
        withLetters(context, (letters) => showLetter(context, letters, id)),
      ),
    );
  selecting(dlq.command("replay"))
    .description("send dead letters to the work queue again")
    .option("--dry-run", "only show which")
    .action(
      action(async (context, id: string | undefined, options: SelectOptions & { dryRun?: boolean }) => {
        const selection = selectionOf(id, options);
        if (options.dryRun !== true) {
          return act(context, selection, (due) =>
            withPublisher(brokerOptions(context, NAME), [ETL_QUEUES], (publisher) =>
              replay({ ...due, publisher, workQueue: ETL_QUEUES.work }),
            ),
          );
        }
        return withLetters(context, (letters) =>
          listLetters(context, letters, selection, { verdict: "would be replayed" }),
        );
      }),
    );
  selecting(dlq.command("purge"))
    .description("delete dead letters for good")
    .option("--yes", "yes, delete them")
    .action(
      action(async (context, id: string | undefined, options: SelectOptions & { yes?: boolean }) => {
        const selection = selectionOf(id, options);
        if (options.yes !== true) {
          throw new CoreError("NOT_CONFIRMED", "Purged letters cannot be brought back.", {
            hint: "Look at them with payments dlq list, then add --yes.",
          });
        }
        return act(context, selection, purge);
      }),
    );
  return dlq;
}

function selecting(command: Command): Command {
  return command
    .argument("[id]", "id from the list")
    .option("--reason <code>", "all letters with this error code")
    .option("--all", "all letters");
}

/** The database is asked first: without a record nothing is done. */
async function act(
  context: CommandContext,
  selection: Selection,
  deal: (action: Action) => Promise<ActionReport>,
): Promise<undefined> {
  await withDatabase(context, (db) =>
    withLetters(context, async (letters) => {
      const { deadLetter: queue } = ETL_QUEUES;
      const report = await deal({ db, letters, queue, selection, signal: context.interruption() });
      const { action, actionId, done, total } = report;
      const what = action === "replay" ? "replayed" : "purged";
      printResult(
        context,
        report,
        () =>
          `${formatCount(done)} of ${formatCount(total)} dead letters ${what}, recorded as action ${actionId}`,
      );
    }),
  );
  return undefined;
}

async function withLetters<T>(
  context: CommandContext,
  work: (letters: DeadLetters) => Promise<T>,
): Promise<T> {
  const letters = await DeadLetters.open({ ...brokerOptions(context, NAME), family: ETL_QUEUES });
  try {
    return await work(letters);
  } finally {
    await letters.close();
  }
}

function toLimit(text: string): number {
  if (!/^[1-9][0-9]{0,8}$/.test(text)) {
    throw new InvalidArgumentError("It must be a whole number above 0.");
  }
  return Number(text);
}
