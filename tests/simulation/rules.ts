import { isOver } from "../../etl/ledger/run.js";
import { chunkOf, planRun } from "../../etl/plan.js";
import { ETL_QUEUES } from "../../etl/queues.js";
import type { Broker } from "./broker.js";
import {
  type ChunkRow,
  type Database,
  inventory,
  REJECTED_ROWS,
  type RunMonthRow,
  type RunRow,
  type Slice,
  SUSPECTS,
  slicesOf,
} from "./database.js";
import type { Postgres } from "./postgres.js";
import { RuleBroken } from "./scheduler.js";

function demand(kept: boolean, rule: string): void {
  if (!kept) {
    throw new RuleBroken(rule);
  }
}

/** What must be true of everything that was ever committed. */
export function checkCommitted(db: Database): void {
  for (const run of db.runs.values()) {
    if (run.state !== "cancelled") {
      checkWindow(db, run);
    }
  }
  for (const month of db.runMonths.values()) {
    checkMonth(db, month);
  }
  checkRows(db);
  checkPublished(db);
}

function checkWindow(db: Database, { run_id, next_chunk, window_chunks }: RunRow): void {
  const chunks = [...db.chunks.values()].filter((chunk) => chunk.run === run_id);
  const out = next_chunk - chunks.filter(({ state }) => state === "cleaned").length;
  demand(out <= window_chunks, `${run_id}: ${out} chunks are out, the window is ${window_chunks}`);
  const early = chunks.find(({ chunk }) => chunk >= next_chunk);
  demand(early === undefined, `${run_id}: chunk ${early?.chunk} was staged before it was sent out`);
}

function checkMonth(db: Database, { run, month, state, chunks_total }: RunMonthRow): void {
  const building = db.builds.get(`${run}/${month}`) !== undefined;
  demand(
    building === (state === "open"),
    `${run}: ${month} is ${state}, and its build ${building ? "stands" : "is gone"}`,
  );
  demand(
    state === "done" || db.runs.get(run)?.state !== "cancelled",
    `${run} is cancelled, and ${month} still open`,
  );
  const chunks = [...db.chunks.values()].filter((chunk) => chunk.run === run && chunk.month === month);
  const cleaned = chunks.filter((chunk) => chunk.state === "cleaned").length;
  demand(
    state === "open" || cleaned === chunks_total,
    `${run}: ${month} was aggregated with ${cleaned} of ${chunks_total} chunks`,
  );
}

/** Each row of each chunk is where the ledger says, and nowhere else: seen by readers just when its run has ended the month. */
function checkRows(db: Database): void {
  const due = { built: [] as Slice[], suspects: [] as Slice[], txn: [] as Slice[], rejects: [] as Slice[] };
  for (const chunk of db.chunks.values()) {
    checkCounts(db, chunk);
    const cleaned = chunk.state === "cleaned";
    const month = db.runMonths.get(`${chunk.run}/${chunk.month}`);
    demand(month !== undefined, `${chunk.run}: chunk ${chunk.chunk} is there, and its month is not`);
    const ended = month?.state === "done";
    for (const slice of slicesOf(chunk, chunk.txn_rows)) {
      if (!cleaned && slice.part !== "right") {
        due.suspects.push(slice);
      } else if (slice.part === "rejected") {
        due.rejects.push(slice);
      } else {
        due[ended ? "txn" : "built"].push(slice);
      }
    }
  }
  same("rows being built", due.built, db.built.values());
  same("suspects", due.suspects, db.suspects.values());
  same("rows that readers see", due.txn, db.txn.values());
  same("rejects", due.rejects, db.rejects.values());
}

function checkCounts(db: Database, { run, chunk, state, txn_rows, accepted }: ChunkRow): void {
  if (state === "staged") {
    return;
  }
  const due = `${txn_rows - REJECTED_ROWS} accepted, ${SUSPECTS} found`;
  const found = `${accepted} accepted, ${db.findings.get(`${run}/${chunk}`)} found`;
  demand(due === found, `${run}/${chunk}: expected ${due}, counted ${found}`);
}

/** A month is published when a run has ended it, and rolled up as it is. */
function checkPublished(db: Database): void {
  const ended = [...db.runMonths.values()].filter(({ state }) => state === "done").map(({ month }) => month);
  const published = [...new Set(ended)].sort().join();
  demand(
    [...db.months.keys()].sort().join() === published,
    `of ${published}, etl.month has ${[...db.months.keys()]}`,
  );
  demand(
    [...db.leaves.keys()].sort().join() === published,
    `of ${published}, attached are ${[...db.leaves.keys()]}`,
  );
  for (const month of db.leaves.keys()) {
    const rows = [...db.txn.values()].filter((slice) => slice.month === month);
    for (const table of ["merchant_day", "network_hour"]) {
      same(`agg_${table} of ${month}`, rows, db.rollups.get(`${table}/${month}`) ?? []);
    }
  }
}

/** What must be true when nothing is left to happen. */
export function checkEnd(postgres: Postgres, broker: Broker, wanted: number): void {
  const { db } = postgres;
  const dead = [...broker.letters].filter(({ queue }) => queue === ETL_QUEUES.deadLetter);
  demand(dead.length === 0, `a dead letter, given too often: ${dead[0]?.body}`);
  demand(broker.letters.size === 0, `${broker.letters.size} messages are left, nobody takes them`);
  demand(broker.inFlight === 0, `${broker.inFlight} messages are held by handlers that wait for good`);
  const connections = postgres.connectionsOf().length;
  demand(connections === 0, `${connections} connections are still at work, and hold what they have locked`);
  const runs = [...db.runs.values()];
  demand(runs.length === wanted, `${runs.length} runs were entered, ${wanted} asked for`);
  const unfinished = runs.find(({ state }) => !isOver(state));
  demand(
    unfinished === undefined,
    `${unfinished?.run_id} is ${unfinished?.state}, and nothing is left to change it`,
  );
  const planned = runs.flatMap((run) => {
    const kept = (slice: Slice) =>
      run.state === "done" || db.runMonths.get(`${slice.run}/${slice.month}`) !== undefined;
    return slicesOfRun(run).filter(kept);
  });
  const builds = [...db.builds.keys()];
  demand(builds.length === 0, `builds are left: ${builds}`);
  same(
    "rows in all months",
    planned.filter(({ part }) => part !== "rejected"),
    db.txn.values(),
  );
  same(
    "rejects",
    planned.filter(({ part }) => part === "rejected"),
    db.rejects.values(),
  );
}

/** What a run must have loaded, by its spec alone. */
function slicesOfRun(row: RunRow): Slice[] {
  const { run_id: run, txn_rows, from_on, to_on, chunk_rows, first_txn_id } = row;
  const spec = {
    rows: txn_rows,
    fromOn: String(from_on),
    toOn: String(to_on),
    chunkRows: Number(chunk_rows),
  };
  const planned = {
    ...spec,
    seed: 0,
    dirtRate: 0,
    fraudRate: 0,
    fraudDifficulty: "easy" as const,
    firstTxnId: first_txn_id,
  };
  const plan = planRun(planned);
  return Array.from({ length: plan.chunks }, (_, chunk) => {
    const { month, fromRow, toRow } = chunkOf(plan, planned, chunk);
    return slicesOf({ run, month: month.month, chunk }, toRow - fromRow);
  }).flat();
}

function same(what: string, expected: Iterable<Slice>, found: Iterable<Slice>): void {
  const [due, there] = [inventory(expected), inventory(found)];
  demand(due === there, `${what}: expected ${due || "none"}, found ${there || "none"}`);
}
