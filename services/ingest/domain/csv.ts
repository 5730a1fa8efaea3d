import { parse } from "csv-parse/sync";
import { Malformed } from "./malformed.js";

const DELIMITERS = [",", ";", "\t", "|"] as const;
/** A quote that is never closed swallows what follows; no line of a report is this long. */
const MAX_LINE = 32_768;

/** Each line costs some microseconds, also one that is empty. */
const MAX_LINES = 10_000;
/** Reports have some dozens. */
const MAX_COLUMNS = 500;

/** Lines of cells with the delimiter that gives each line as many as the first, the most of such. */
export interface Table {
  readonly delimiter: string;
  readonly lines: readonly (readonly string[])[];
}

/** @throws Malformed where no delimiter cuts the text into lines of as many cells, two at least. */
export function parseTable(text: string): Table {
  if (text.split("\n", MAX_LINES + 1).length > MAX_LINES) {
    throw new Malformed(`the CSV has more than ${MAX_LINES} lines`);
  }
  const [firstLine = "", lineEnd] = /^([^\r\n]*)(\r\n|\r|\n)?/.exec(text)?.slice(1) ?? [];
  // The parser's own search for it takes a fifth of its time; a line's end within quotes is no end.
  const recordEnd = firstLine.split('"').length % 2 === 1 ? lineEnd : undefined;
  const counts = DELIMITERS.map((delimiter) => ({ delimiter, count: firstLine.split(delimiter).length - 1 }));
  const likely = counts
    .filter(({ count }) => count > 0 && count < MAX_COLUMNS)
    .sort((a, b) => b.count - a.count);
  // Two are tried at most: a third was never right, and each costs a pass.
  for (const { delimiter } of likely.slice(0, 2)) {
    const lines = linesOf(text, delimiter, recordEnd);
    if (lines !== undefined && (lines[0]?.length ?? 0) > 1) {
      return { delimiter, lines };
    }
  }
  throw new Malformed("it is no JSON, XML or form, and no CSV whose lines have as many cells");
}

function linesOf(text: string, delimiter: string, recordEnd: string | undefined): string[][] | undefined {
  try {
    return parse(text, {
      delimiter,
      ...(recordEnd !== undefined && { record_delimiter: recordEnd }),
      trim: true,
      skip_empty_lines: true,
      max_record_size: MAX_LINE,
    });
  } catch {
    return undefined;
  }
}

/** What a column is called: in lower case, with single blanks. */
export function columnName(cell: string): string {
  return cell.trim().toLowerCase().replaceAll(/\s+/g, " ");
}

/**
 * The rows of a table by their columns.
 *
 * @param headerless the first line is a record too; its columns are called `1`, `2`, …
 * @throws Malformed also where a name of a column comes twice or is empty, and where there are no rows.
 */
export function parseCsv(text: string, headerless: boolean): Record<string, string>[] {
  const { lines } = parseTable(text);
  const [first = []] = lines;
  if (headerless) {
    return lines.map((line) =>
      rowOf(
        line.map((_, index) => String(index + 1)),
        line,
      ),
    );
  }
  const columns = first.map(columnName);
  // Exports end their lines with a delimiter now and then: one column without a name may be.
  if (new Set(columns).size < columns.length || columns.some((name) => name === "__proto__")) {
    throw new Malformed("a column of the CSV comes twice, or is __proto__");
  }
  if (lines.length < 2) {
    throw new Malformed("the CSV has no rows below the names of its columns");
  }
  return lines.slice(1).map((line) => rowOf(columns, line));
}

function rowOf(columns: readonly string[], cells: readonly string[]): Record<string, string> {
  return Object.fromEntries(columns.map((name, index) => [name, cells[index] ?? ""]));
}
