/**
 * The tables in which a run's month is built, see etl.create_builds: COPY goes to `rows`, which sorts it into `leaf` and
 * `suspects`. Run ids are checked where they come in, and again when a name is quoted.
 */
export function buildTables(
  runId: string,
  month: string,
): { readonly rows: string; readonly leaf: string; readonly suspects: string } {
  const rows = `staging.txn_${runId}_${month.slice(0, 4)}_${month.slice(5, 7)}`;
  return { rows, leaf: `${rows}_leaf`, suspects: `${rows}_suspect` };
}

/** The leaf of a month given as `YYYY-MM-01`; the same name as etl.leaf_name makes. */
export function leafTable(month: string): string {
  return `payments.txn_${month.slice(0, 4)}_${month.slice(5, 7)}`;
}
