import type { Database } from "./database.js";
import type { Result } from "./meaning.js";
import { MEANINGS } from "./statements.js";
import type { Transaction } from "./store.js";

/** The code under test has learnt a statement that the simulation has not: it must be taught here, not passed over. */
export class UnknownStatement extends Error {}

/** Carries out a statement. @throws UnknownStatement, or an error with the SQLSTATE that PostgreSQL would give. */
export function execute(
  db: Database,
  tx: Transaction,
  text: string,
  values: readonly unknown[],
): Promise<Result> | Result {
  let known = plans.get(text);
  if (known === undefined) {
    known = planOf(text);
    plans.set(text, known);
  }
  return known(db, tx, values);
}

/** One line for the trace. */
export function summary(text: string, values: readonly unknown[]): string {
  let line = lines.get(text);
  if (line === undefined) {
    line = oneLine(text).slice(0, 60);
    lines.set(text, line);
  }
  // The first two say which run, chunk or month.
  const [first, second] = values;
  return values.length < 2 ? line : `${line} (${String(first)}, ${String(second)})`;
}

function oneLine(text: string): string {
  return text.replaceAll(/--.*$/gm, "").replaceAll(/\s+/g, " ").trim();
}

const lines = new Map<string, string>();

type Plan = (db: Database, tx: Transaction, values: readonly unknown[]) => Promise<Result> | Result;

const plans = new Map<string, Plan>();
const patterns = Object.entries(MEANINGS).map(([pattern, meaning]) => ({
  pattern: regexOf(pattern),
  meaning,
}));

function planOf(text: string): Plan {
  const line = oneLine(text);
  for (const { pattern, meaning } of patterns) {
    const words = pattern.exec(line)?.slice(1);
    if (words !== undefined) {
      return (db, tx, values) => meaning({ db, tx, values, words });
    }
  }
  throw new UnknownStatement(`the simulation does not know this statement, see statements.ts: ${line}`);
}

function regexOf(pattern: string): RegExp {
  const source = pattern
    .replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")
    .replaceAll(/ \\\[([A-Z ]+)\\\]/g, "(?: ($1))?")
    .replaceAll(/<\w+>/g, "('?\\w+'?)")
    .replaceAll("…", ".*");
  return new RegExp(`^${source}$`);
}
