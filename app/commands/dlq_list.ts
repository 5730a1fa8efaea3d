import type { DeadLetter } from "../../lib/broker/dead_letter.js";
import type { DeadLetters } from "../../lib/broker/dead_letters.js";
import { tidyReason } from "../../lib/broker/headers.js";
import { type CommandContext, print } from "../../lib/cli/command.js";
import { formatCount, formatTable } from "../../lib/cli/table.js";
import { describeLetter, jsonOf, previewOf, shorten } from "../../lib/dead_letters/present.js";
import { type Selection, selectedWindows } from "../../lib/dead_letters/selection.js";
import type { Forecast } from "../../lib/messaging/forecast.js";
import { ready, write } from "../../lib/process/stdout.js";

/** A screenful for a person; --json has them all unless told otherwise. */
export const SHOWN = 50;

const COLUMNS = ["id", "first failed", "last failed", "code", "attempts", "worker", "reason", "body"];
const FORECAST_COLUMNS = ["id", "event", "last failed", "code", "forecast", "why", "body"];

export interface ListOptions {
  readonly limit?: number | undefined;
  /** What the letters are, in the summary. */
  readonly verdict?: string;
  /** Tells of each letter of a window what would come of it. */
  readonly foretell?: (letters: readonly DeadLetter[]) => Promise<readonly Forecast[]>;
}

/** A table with its summary; with --json one document whose letters go out one by one, each on a line of its own. */
export async function listLetters(
  context: CommandContext,
  letters: DeadLetters,
  selection: Selection,
  { limit, verdict = "selected", foretell }: ListOptions,
): Promise<undefined> {
  const most = limit ?? (context.json ? Number.POSITIVE_INFINITY : SHOWN);
  const rows: string[][] = [];
  const document = new JsonLetters();
  const codes = new Tally();
  const kinds = new Tally();
  let selected = 0;
  for await (const window of select(context, letters, selection)) {
    const forecasts = await foretell?.(window);
    for (const [i, letter] of window.entries()) {
      const forecast = forecasts?.[i];
      selected += 1;
      codes.add(letter.code);
      if (forecast !== undefined) {
        kinds.add(forecast.kind);
      }
      if (selected <= most) {
        await (context.json ? document.add(letter, forecast) : rows.push(rowOf(letter, forecast)));
      }
    }
  }
  const { total } = letters;
  if (context.json) {
    const byForecast = foretell === undefined ? {} : { byForecast: kinds.toObject() };
    await document.end({ total, selected, byCode: codes.toObject(), ...byForecast });
  } else if (total === 0) {
    print("no dead letters");
  } else {
    const tables = [
      formatTable(foretell === undefined ? COLUMNS : FORECAST_COLUMNS, rows),
      formatTable(["code", "letters"], codes.rows()),
      ...(foretell === undefined ? [] : [formatTable(["forecast", "letters"], kinds.rows())]),
    ];
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
  for await (const window of select(context, letters, { id })) {
    for (const letter of window) {
      found += 1;
      if (context.json) {
        await document.add(letter);
      } else {
        await put(`${found === 1 ? "" : "\n"}${describeLetter(letter)}\n`);
      }
    }
  }
  if (context.json) {
    await document.end({});
  }
  return undefined;
}

function select(context: CommandContext, letters: DeadLetters, selection: Selection) {
  const stopped = () => (context.interruption().aborted ? "Not all letters were looked at." : undefined);
  return selectedWindows(letters, selection, stopped);
}

/** How many letters there are of each kind. */
class Tally {
  readonly #counts = new Map<string, number>();

  add(kind: string): void {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
  }

  /** Most first. */
  rows(): readonly (readonly [string, number])[] {
    return [...this.#counts].toSorted((a, b) => b[1] - a[1]);
  }

  toObject(): Record<string, number> {
    return Object.fromEntries(this.rows());
  }
}

class JsonLetters {
  #before = '{"letters":[';

  async add(letter: DeadLetter, forecast?: Forecast): Promise<void> {
    const known = forecast === undefined ? {} : { forecast };
    await put(`${this.#before}\n${JSON.stringify({ ...jsonOf(letter), ...known })}`);
    this.#before = ",";
  }

  async end(rest: object): Promise<void> {
    const others = JSON.stringify(rest).slice(1, -1);
    const opening = this.#before === "," ? "" : this.#before;
    await put(`${opening}\n]${others === "" ? "" : `,${others}`}}\n`);
  }
}

function rowOf(letter: DeadLetter, forecast: Forecast | undefined): string[] {
  if (forecast !== undefined) {
    return [
      letter.id,
      shorten(tidyReason(letter.properties.type ?? ""), 40),
      letter.lastFailedAt ?? "",
      letter.code,
      forecast.kind,
      shorten(tidyReason(forecast.why), 80),
      previewOf(letter.body, 40),
    ];
  }
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
