import type { Content } from "./content.js";

/** One thing that is not in the restored database as the manifest says. */
export interface Difference {
  readonly what: string;
  readonly expected: string;
  readonly found: string;
}

/** What differs between what a manifest promises and what a database holds; empty when nothing does. */
export function compareContent(expected: Content, found: Content): Difference[] {
  return [
    ...compareMaps(
      "table",
      new Map(expected.tables.map((t) => [t.table, `${t.rows} rows, digest ${t.digest}`])),
      new Map(found.tables.map((t) => [t.table, `${t.rows} rows, digest ${t.digest}`])),
    ),
    ...compareMaps(
      "run",
      new Map(expected.ledger.map((run) => [run.run, describeRun(run)])),
      new Map(found.ledger.map((run) => [run.run, describeRun(run)])),
    ),
    ...compareMaps("", present(expected.objects), present(found.objects)),
  ];
}

const describeRun = (run: Content["ledger"][number]) =>
  `${run.state}, ${run.chunksCleaned} of ${run.chunksTotal ?? "?"} chunks cleaned, ${run.nextChunk} sent out, ${run.monthsDone} months done`;

const present = (objects: readonly string[]) => new Map(objects.map((object) => [object, "there"]));

function compareMaps(
  kind: string,
  expected: ReadonlyMap<string, string>,
  found: ReadonlyMap<string, string>,
): Difference[] {
  return [...new Set([...expected.keys(), ...found.keys()])]
    .map((name) => ({
      what: `${kind} ${name}`.trim(),
      expected: expected.get(name) ?? "missing",
      found: found.get(name) ?? "missing",
    }))
    .filter((difference) => difference.expected !== difference.found);
}
