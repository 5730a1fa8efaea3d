import { type Content, HIDDEN } from "./content.js";

/** One thing that is not in the restored database as the manifest says. */
export interface Mismatch {
  readonly what: string;
  readonly expected: string;
  readonly found: string;
  /** Of the platform's own. What is not may lack after a restore; it is named, and the copy kept. */
  readonly ours: boolean;
}

/**
 * What differs between what a manifest promises and what a database holds; empty when nothing does.
 *
 * @param complained whether pg_restore said that it left something out: only then a table that is not ours may lack.
 */
export function compareContent(expected: Content, found: Content, complained = false): Mismatch[] {
  const mayLack = (table: string, before: string, now: string) =>
    isOther(expected, table) && (complained || before === NOT_BACKED_UP || now === HIDDEN);
  const before = renamed(linesOf(expected), linesOf(found));
  // Kinds that were not looked at when an older manifest was made are not in it.
  const old = expected.others === undefined ? new Set(before) : undefined;
  const lines = linesOf(found).filter((line) => old?.has(line) ?? true);
  // What is ours has grown, so an older manifest may have it among the others.
  const ours = new Set([...expected.objects, ...found.objects]);
  return [
    ...compareMaps(
      "table",
      tablesOf(expected, NOT_BACKED_UP),
      tablesOf(found, HIDDEN),
      (...table) => !mayLack(...table),
    ),
    ...compareMaps("run", runsOf(expected), runsOf(found), () => true),
    ...compareMaps("", present(before), present(lines), (line) => ours.has(line)),
  ];
}

/**
 * Lines of a manifest, with foreign keys called as the database calls them that has the same ones: older manifests have those of
 * partitions under the numbers that PostgreSQL gave them, and it gives others when it makes them again.
 */
function renamed(expected: readonly string[], found: readonly string[]): string[] {
  const unnamed = (line: string) => line.replace(/^(constraint .*) \S+(?=: FOREIGN KEY )/, "$1");
  const [before, now] = [new Set(expected), new Set(found)];
  // Each is given once, or the loss of a second key that says the same would not show.
  const free = new Map<string, string[]>();
  for (const line of found.filter((each) => !before.has(each))) {
    free.set(unnamed(line), [...(free.get(unnamed(line)) ?? []), line]);
  }
  return expected.map((line) => (now.has(line) ? line : (free.get(unnamed(line))?.shift() ?? line)));
}

const linesOf = ({ objects, others = [] }: Content) => [...objects, ...others];

/** Rows that are in no backup do not come back, and what cannot be read afterwards either is not equal to them. */
const NOT_BACKED_UP = "its rows, which were hidden from the backup: row security";

const tablesOf = ({ tables }: Content, hidden: string) =>
  new Map(tables.map((t) => [t.table, t.digest === HIDDEN ? hidden : `${t.rows} rows, digest ${t.digest}`]));

const runsOf = ({ ledger }: Content) => new Map(ledger.map((run) => [run.run, describeRun(run)]));

const describeRun = (run: Content["ledger"][number]) =>
  `${run.state}, ${run.chunksCleaned} of ${run.chunksTotal ?? "?"} chunks cleaned, ${run.nextChunk} sent out, ${run.monthsDone} months done`;

const present = (objects: readonly string[]) => new Map(objects.map((object) => [object, "there"]));

/** Whether a table is not one of the platform's own. */
export const isOther = ({ others = [] }: Pick<Content, "others">, table: string) =>
  others.some((object) => `${object} `.startsWith(`table ${table} `));

function compareMaps(
  kind: string,
  expected: ReadonlyMap<string, string>,
  found: ReadonlyMap<string, string>,
  isOurs: (name: string, expected: string, found: string) => boolean,
): Mismatch[] {
  return [...new Set([...expected.keys(), ...found.keys()])]
    .map((name) => [name, expected.get(name) ?? "missing", found.get(name) ?? "missing"] as const)
    .filter(([, before, now]) => before !== now)
    .map(([name, before, now]) => ({
      what: `${kind} ${name}`.trim(),
      expected: before,
      found: now,
      ours: isOurs(name, before, now),
    }));
}
