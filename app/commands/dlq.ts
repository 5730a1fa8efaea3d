import { Command, InvalidArgumentError } from "commander";
import type { QueueFamily } from "../../lib/broker/topology.js";
import { brokerOptions, withPublisher } from "../../lib/cli/broker.js";
import { type ActionWrapper, type CommandContext, printResult, withDatabase } from "../../lib/cli/command.js";
import { formatCount } from "../../lib/cli/table.js";
import { CoreError } from "../../lib/core_errors.js";
import {
  type Action,
  type ActionReport,
  purge,
  type ReplayTo,
  replay,
} from "../../lib/dead_letters/action.js";
import { type Selection, selectionOf } from "../../lib/dead_letters/selection.js";
import type { Module } from "../../lib/runtime/module.js";
import { familiesOver, LETTERS_NAME, withLetters } from "../letters.js";
import { dlqAuditCommand } from "./dlq_audit.js";
import { foretellLetters } from "./dlq_forecast.js";
import { listLetters, SHOWN, showLetter } from "./dlq_list.js";

const DEFAULT_QUEUE = "etl_queue.dlq";

interface SelectOptions {
  queue: string;
  reason?: string;
  all?: boolean;
}

interface ReplayOptions extends SelectOptions {
  toTopic?: boolean;
  dryRun?: boolean;
}

export function dlqCommand(action: ActionWrapper, modules: readonly Module[]): Command {
  const familiesOf = (queue: string) => familiesOver(queue, modules);
  const dlq = new Command("dlq").description("look at dead letters, send them again, delete them");
  const command = (name: string) =>
    dlq.command(name).option("--queue <name>", "which dead letters, e.g. wallet.dlq", DEFAULT_QUEUE);
  command("list")
    .description("dead letters, oldest first, and how many there are of each code")
    .option("--reason <code>", "only letters with this error code")
    .option("--limit <n>", `show at most so many (default: ${SHOWN}, with --json all)`, toLimit)
    .action(
      action(
        async (context, { queue, reason, limit }: { queue: string; reason?: string; limit?: number }) => {
          const selection = selectionOf(undefined, reason === undefined ? { all: true } : { reason });
          const [family] = familiesOf(queue);
          return withLetters(context, family, (letters) =>
            listLetters(context, letters, selection, { limit }),
          );
        },
      ),
    );
  command("show")
    .description("a dead letter whole, with headers and body")
    .argument("<id>", "id from the list")
    .action(
      action(async (context, id: string, { queue }: { queue: string }) =>
        withLetters(context, familiesOf(queue)[0], (letters) => showLetter(context, letters, id)),
      ),
    );
  selecting(command("replay"))
    .description("send dead letters to the queues that they came from again")
    .option("--to-topic", "to all consumers of their event, not only to the one that failed")
    .option("--dry-run", "only show which, and what would come of each letter of a service")
    .action(
      action(async (context, id: string | undefined, options: ReplayOptions) => {
        const selection = selectionOf(id, options);
        const families = familiesOf(options.queue);
        const to = destinationOf(options, families);
        if (options.dryRun === true) {
          const owner = modules.find(({ queues }) => queues.includes(families[0])) as Module;
          return withLetters(context, families[0], (letters) =>
            foretellLetters(context, letters, selection, { owner, families }),
          );
        }
        // All who take an event must have their queue when it is published.
        const declared = to === "topic" ? modules.flatMap(({ queues }) => queues) : families;
        return act(context, { family: families[0], selection }, (due) =>
          withPublisher(brokerOptions(context, LETTERS_NAME), declared, (publisher) =>
            replay({ ...due, publisher, families, to }),
          ),
        );
      }),
    );
  selecting(command("purge"))
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
        return act(context, { family: familiesOf(options.queue)[0], selection }, purge);
      }),
    );
  return dlq.addCommand(dlqAuditCommand(action));
}

/** @throws CoreError USAGE_INVALID for a topic of messages that come by none */
function destinationOf(
  { toTopic, queue }: ReplayOptions,
  [{ event }]: readonly [QueueFamily, ...QueueFamily[]],
): ReplayTo {
  if (toTopic === true && event === undefined) {
    throw new CoreError(
      "USAGE_INVALID",
      `the letters in ${queue} are no events, so there is no topic for them.`,
    );
  }
  return toTopic === true ? "topic" : "consumer";
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
  { family, selection }: { readonly family: QueueFamily; readonly selection: Selection },
  deal: (action: Action) => Promise<ActionReport>,
): Promise<undefined> {
  await withDatabase(context, (db) =>
    withLetters(context, family, async (letters) => {
      const { deadLetter: queue } = family;
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

function toLimit(text: string): number {
  if (!/^[1-9][0-9]{0,8}$/.test(text)) {
    throw new InvalidArgumentError("It must be a whole number above 0.");
  }
  return Number(text);
}
