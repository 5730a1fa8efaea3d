import { Command, InvalidArgumentError } from "commander";
import { type ActionWrapper, printResult, withDatabase } from "../../lib/cli/command.js";
import { formatCount, formatTable } from "../../lib/cli/table.js";
import {
  type ActionTaken,
  actionsTaken,
  type LetterOfTrace,
  type LettersOfDay,
  lettersByDay,
  lettersOfTrace,
} from "../../lib/dead_letters/history.js";

const DAYS = 7;

interface Options {
  readonly queue?: string;
  readonly days: number;
  readonly trace?: string;
}

/** The history of dead letters, which is in the database; where they lie nobody is asked. */
export function dlqAuditCommand(action: ActionWrapper): Command {
  return new Command("audit")
    .description("which messages became dead letters, by day and code, and what was done with them")
    .option("--queue <name>", "only these dead letters, e.g. wallet.dlq")
    .option("--days <n>", "so many days back", toDays, DAYS)
    .option("--trace <id>", "the dead letters of this trace instead", toTrace)
    .action(
      action(async (context, { queue, days, trace }: Options) => {
        await withDatabase(context, async (db) => {
          if (trace !== undefined) {
            const letters = await lettersOfTrace(db, trace);
            return printResult(context, { letters }, () => traceReport(letters));
          }
          const letters = await lettersByDay(db, { days, queue });
          const actions = await actionsTaken(db, { days, queue });
          printResult(context, { letters, actions }, () => periodReport(letters, actions, days));
        });
        return undefined;
      }),
    );
}

function traceReport(letters: readonly LetterOfTrace[]): string {
  if (letters.length === 0) {
    return "no dead letter of this trace is recorded";
  }
  return formatTable(
    ["recorded", "id", "queue", "event", "code", "last code", "attempts", "since then"],
    letters.map((letter) => [
      letter.recordedAt.toISOString(),
      letter.messageId ?? "",
      letter.queue,
      letter.event ?? "",
      letter.code,
      letter.lastCode,
      letter.attempts,
      letter.action === null ? "" : `${letter.action} ${letter.actionAt?.toISOString()}`,
    ]),
  );
}

function periodReport(
  letters: readonly LettersOfDay[],
  actions: readonly ActionTaken[],
  days: number,
): string {
  const total = letters.reduce((sum, each) => sum + each.letters, 0);
  const made = formatTable(
    ["day", "queue", "event", "code", "last code", "letters"],
    letters.map((each) => [each.day, each.queue, each.event ?? "", each.code, each.lastCode, each.letters]),
  );
  const done = formatTable(
    ["action", "started", "what", "queue", "letters", "state", "by"],
    actions.map((each) => [
      String(each.actionId),
      each.startedAt.toISOString(),
      each.action,
      each.queue,
      `${formatCount(each.lettersDone)} of ${formatCount(each.lettersSelected)}`,
      each.state,
      `${each.osUser}@${each.host}`,
    ]),
  );
  return [
    ...(letters.length === 0 ? [] : [made]),
    ...(actions.length === 0 ? [] : [done]),
    `${formatCount(total)} dead letters and ${formatCount(actions.length)} actions in ${days} days`,
  ].join("\n\n");
}

function toDays(text: string): number {
  if (!/^[1-9][0-9]{0,3}$/.test(text)) {
    throw new InvalidArgumentError("It must be a whole number of days from 1 to 9999.");
  }
  return Number(text);
}

function toTrace(text: string): string {
  if (!/^[0-9a-f]{32}$/.test(text)) {
    throw new InvalidArgumentError("It takes the 32 hex digits of a trace id.");
  }
  return text;
}
