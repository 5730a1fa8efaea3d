import { chunkOf, planRun } from "../../etl/plan.js";
import { ETL_QUEUES } from "../../lib/broker/topology.js";
import type { Broker } from "./broker.js";
import { BAD_ROWS, type Database, inventory, type RunRow, type Slice } from "./database.js";
import type { Postgres } from "./postgres.js";

/** One of the state machine's rules does not hold. */
export class RuleBroken extends Error {}

function demand(kept: boolean, rule: string): void {
  if (!kept) throw new RuleBroken(rule);
}

/** What must be true of everything that was ever committed. */
export function checkCommitted(db: Database): void {
  for (const run of db.runs.values()) {
    const chunks = [...db.chunks.values()].filter((chunk) => chunk.run === run.run_id);
    const cleaned = chunks.filter(({ state }) => state === "cleaned").length;
    const { run_id, next_chunk, window_chunks } = run;
    demand(
      next_chunk - cleaned <= window_chunks,
      `${run_id}: ${next_chunk - cleaned} chunks are out, the window is ${window_chunks}`,
    );
    const early = chunks.find(({ chunk }) => chunk >= next_chunk);
    demand(early === undefined, `${run_id}: chunk ${early?.chunk} was staged before it was sent out`);
  }
  for (const month of db.runMonths.values()) {
    if (month.state === "open") continue;
    const there = [...db.slices.values()].filter(
      (slice) => slice.run === month.run && slice.month === month.month,
    );
    demand(
      there.length === month.chunks_total,
      `${month.run}: ${month.month} was aggregated with ${there.length} of ${month.chunks_total} chunks`,
    );
  }
  for (const [month, { attached }] of db.leaves.entries()) {
    const complete = [...db.runMonths.values()].some((row) => row.month === month && row.state === "done");
    demand(!attached || complete, `${month} was published before any run had completed it`);
    demand(
      (db.published.get(month) ?? 0) === (attached ? 1 : 0),
      `${month} was published ${db.published.get(month)} times`,
    );
  }
}

/** What must be true when nothing is left to happen. */
export function checkEnd(postgres: Postgres, broker: Broker, wanted: number): void {
  const { db } = postgres;
  const dead = [...broker.letters].filter(({ queue }) => queue === ETL_QUEUES.deadLetter);
  const reasons = dead.map(({ body, headers }) => `${body} ${JSON.stringify(headers)}`);
  demand(dead.length === 0, `a dead letter: ${reasons[0]}`);
  demand(broker.letters.size === 0, `${broker.letters.size} messages are left, nobody takes them`);
  demand(broker.inHand === 0, `${broker.inHand} messages are held by handlers that wait for good`);
  const connections = postgres.connectionsOf().length;
  demand(connections === 0, `${connections} connections are still at work, and hold what they have locked`);
  const runs = [...db.runs.values()];
  demand(runs.length === wanted, `${runs.length} runs were entered, ${wanted} asked for`);
  const unfinished = runs.find(({ state }) => state !== "done");
  demand(
    unfinished === undefined,
    `${unfinished?.run_id} is ${unfinished?.state}, and nothing is left to change it`,
  );
  const expected = runs.flatMap((run) => slicesOf(run));
  for (const [month, { attached }] of db.leaves.entries()) {
    demand(attached, `${month} was not published`);
    const due = expected.filter((slice) => slice.month === month);
    const found = [...db.slices.values()].filter((slice) => slice.month === month);
    same(`rows of ${month}`, inventory(due), inventory(found));
    for (const table of ["merchant_day", "network_hour"]) {
      same(`agg_${table} of ${month}`, inventory(due), db.rollups.get(`${table}/${month}`) ?? "");
    }
  }
  same("rows in all months", inventory(expected), inventory([...db.slices.values()]));
  const rejects = expected.map((slice) => ({ ...slice, rows: BAD_ROWS }));
  same("rejects", inventory(rejects), inventory([...db.rejects.values()]));
  demand([...db.staging.values()].length === 0, "staging tables are left");
}

/** What a run must have put into the leaves. */
function slicesOf(row: RunRow): Slice[] {
  const { run_id, txn_rows, from_on, to_on, chunk_rows, first_txn_id } = row;
  const spec = {
    rows: txn_rows,
    fromOn: String(from_on),
    toOn: String(to_on),
    chunkRows: Number(chunk_rows),
  };
  const planned = { ...spec, seed: 0, dirtRate: 0, fraudRate: 0, firstTxnId: first_txn_id };
  const plan = planRun(planned);
  return Array.from({ length: plan.chunks }, (_, chunkNo) => {
    const { month, fromRow, toRow } = chunkOf(plan, planned, chunkNo);
    return { month: month.month, run: run_id, chunk: chunkNo, rows: toRow - fromRow - BAD_ROWS };
  });
}

function same(what: string, expected: string, found: string): void {
  demand(expected === found, `${what}: expected ${expected || "none"}, found ${found || "none"}`);
}
