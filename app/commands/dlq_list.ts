import type { DeadLetter } from "../../lib/broker/dead_letter.js";
import type { DeadLetters } from "../../lib/broker/dead_letters.js";
import { type CommandContext, print } from "../../lib/cli/command.js";
import { formatCount, formatTable } from "../../lib/cli/table.js";
import { describeLetter, jsonOf, previewOf, shorten } from "../../lib/dead_letters/present.js";
import { type Selection, selectedWindows } from "../../lib/dead_letters/selection.js";
import { ready, write } from "../../lib/process/stdout.js";

/** A screenful for a person; --json has them all unless told otherwise. */
export const SHOWN = 50;

const COLUMNS = ["id", "first failed", "last failed", "code", "attempts", "worker", "reason", "body"];

/** A table with its summary; with --json one document whose letters go out one by one, each on a line of its own. */
export async function listLetters(
  context: CommandContext,
  letters: DeadLetters,
  selection: Selection,
  { limit, verdict = "selected" }: { limit?: number | undefined; verdict?: string },
): Promise<undefined> {
  const most = limit ?? (context.json ? Number.POSITIVE_INFINITY : SHOWN);
  const rows: string[][] = [];
  const document = new JsonLetters();
  const byCode = new Map<string, number>();
  let selected = 0;
  for await (const letter of select(context, letters, selection)) {
    selected += 1;
    byCode.set(letter.code, (byCode.get(letter.code) ?? 0) + 1);
    if (selected <= most) {
      await (context.json ? document.add(letter) : rows.push(rowOf(letter)));
    }
  }
  const counts = [...byCode].toSorted((a, b) => b[1] - a[1]);
  const { total } = letters;
  if (context.json) {
    await document.end({ total, selected, byCode: Object.fromEntries(counts) });
  } else if (total === 0) {
    print("no dead letters");
  } else {
    const tables = [formatTable(COLUMNS, rows), formatTable(["code", "letters"], counts)];
    const hidden = selected > rows.length ? `, ${rows.length} shown` : "";
    const summary = `${formatCount(selected)} of ${formatCount(total)} dead letters ${verdict}${hidden}`;
    print([...(selected === 0 ? [] : tables), summary].join("\n\n"));
  }
  return undefined;
}

/** The letter of this id, and copies of it if there are any. */
export async function showLetter(
  context: CommandContext,
  letters: DeadLetters,
  id: string,
): Promise<undefined> {
  const document = new JsonLetters();
  let found = 0;
  for await (const letter of select(context, letters, { id })) {
    found += 1;
    if (context.json) {
      await document.add(letter);
    } else {
      await put(`${found === 1 ? "" : "\n"}${describeLetter(letter)}\n`);
    }
  }
  if (context.json) {
    await document.end({});
  }
  return undefined;
}

async function* select(
  context: CommandContext,
  letters: DeadLetters,
  selection: Selection,
): AsyncGenerator<DeadLetter, void, undefined> {
  const stopped = () => (context.interruption().aborted ? "Not all letters were looked at." : undefined);
  for await (const window of selectedWindows(letters, selection, stopped)) {
    yield* window;
  }
}

class JsonLetters {
  #before = '{"letters":[';

  async add(letter: DeadLetter): Promise<void> {
    await put(`${this.#before}\n${JSON.stringify(jsonOf(letter))}`);
    this.#before = ",";
  }

  async end(rest: object): Promise<void> {
    const others = JSON.stringify(rest).slice(1, -1);
    const opening = this.#before === "," ? "" : this.#before;
    await put(`${opening}\n]${others === "" ? "" : `,${others}`}}\n`);
  }
}

function rowOf(letter: DeadLetter): string[] {
  return [
    letter.id,
    letter.firstFailedAt ?? "",
    letter.lastFailedAt ?? "",
    letter.code,
    String(letter.attempts),
    shorten(letter.worker ?? "", 40),
    shorten(letter.reason, 60),
    previewOf(letter.body, 60),
  ];
}

/** As fast as it is read. */
async function put(text: string): Promise<void> {
  write(text);
  await ready();
}
