import type { Pool } from "../../lib/postgres/pool.js";

/** A node of EXPLAIN (FORMAT JSON), as far as it is looked at. */
interface Node {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  readonly "Index Name"?: string;
  readonly "Actual Rows": number;
  readonly "Actual Loops": number;
  readonly "Rows Removed by Filter"?: number;
  readonly "Shared Hit Blocks": number;
  readonly "Shared Read Blocks": number;
  readonly Plans?: readonly Node[];
}

/** What a plan reads, how, and what it sorts; names in order, each once. */
export interface PlanShape {
  /** Rows returned. */
  readonly rows: number;
  /** Leaves of txn in the plan, `2025_06`: those that pruning has left over, run or not. */
  readonly leaves: readonly string[];
  /** Indexes used; a leaf's under its parent's name. */
  readonly indexes: readonly string[];
  /** Tables read from end to end; leaves as `txn`. */
  readonly seqScans: readonly string[];
  /** Pages of tables and indexes read, cached or not; the scans that read them, and the rows these returned. */
  readonly pages: number;
  readonly scans: number;
  readonly scannedRows: number;
  /** Rows or index entries that were read and did not pass a filter. */
  readonly filteredRows: number;
  /** Most rows that went into one sort. */
  readonly sortedRows: number;
  /** Whether rows of txn are aggregated leaf by leaf, before they are put together. */
  readonly byLeaf: boolean;
}

/** Runs a statement, prepared as drivers do it, and says how it was run. Needs a pool of one connection. */
export async function explain(
  pool: Pool,
  sql: string,
  parameters: readonly (string | number)[],
  mode: "custom" | "generic" = "custom",
): Promise<PlanShape> {
  const list = parameters.map((value) => `'${value}'`).join(", ");
  await pool.query(`SET plan_cache_mode = force_${mode}_plan`);
  await pool.query(`PREPARE explained AS ${sql}`);
  try {
    const { rows } = await pool.query<{ "QUERY PLAN": [{ Plan: Node }] }>(
      `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE explained ${list === "" ? "" : `(${list})`}`,
    );
    const root = rows[0]?.["QUERY PLAN"][0].Plan;
    if (root === undefined) {
      throw new Error("EXPLAIN returned no plan");
    }
    return shapeOf(root);
  } finally {
    await pool.query("DEALLOCATE explained");
  }
}

function shapeOf(root: Node): PlanShape {
  const leaves = new Set<string>();
  const indexes = new Set<string>();
  const seqScans = new Set<string>();
  let [scans, scannedRows, filteredRows, sortedRows] = [0, 0, 0, 0];
  let byLeaf = true;
  const visit = (node: Node, parent: Node | undefined) => {
    const table = node["Relation Name"];
    const leaf = /^txn_(\d{4}_\d{2})$/.exec(table ?? "")?.[1];
    if (leaf !== undefined) {
      leaves.add(leaf);
    }
    if (leaf !== undefined && parent?.["Node Type"] !== "Aggregate") {
      byLeaf = false;
    }
    if (node["Index Name"] !== undefined) {
      indexes.add(node["Index Name"].replace(/^txn_\d{4}_\d{2}_/, "txn_"));
    }
    if (table !== undefined) {
      scans += node["Actual Loops"];
      scannedRows += node["Actual Rows"] * node["Actual Loops"];
      filteredRows += (node["Rows Removed by Filter"] ?? 0) * node["Actual Loops"];
    }
    if (table !== undefined && node["Node Type"] === "Seq Scan") {
      seqScans.add(leaf === undefined ? table : "txn");
    }
    for (const child of node.Plans ?? []) {
      if (node["Node Type"].endsWith("Sort")) {
        sortedRows = Math.max(sortedRows, child["Actual Rows"] * child["Actual Loops"]);
      }
      visit(child, node);
    }
  };
  visit(root, undefined);
  return {
    rows: root["Actual Rows"],
    leaves: [...leaves].sort(),
    indexes: [...indexes].sort(),
    seqScans: [...seqScans].sort(),
    pages: root["Shared Hit Blocks"] + root["Shared Read Blocks"],
    scans,
    scannedRows,
    filteredRows,
    sortedRows,
    byLeaf: byLeaf && leaves.size > 0,
  };
}
