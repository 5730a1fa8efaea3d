import { BUILD_MEANINGS } from "./builds.js";
import type { ChunkRow, Database, RunRow } from "./database.js";
import { changed, demand, type Meanings, NOTHING, rows, seen } from "./meaning.js";
import { sqlError, type Transaction } from "./store.js";

/** The statements of steps and ledger. */
export const MEANINGS: Meanings = {
  ...BUILD_MEANINGS,
  "SELECT 1": () => rows({ one: 1 }),
  "SET LOCAL <setting> = <size>": () => NOTHING,

  // Runs.
  "LOCK TABLE etl.run IN SHARE ROW EXCLUSIVE MODE": async ({ db, tx }) => {
    await tx.lock(db.tableLocks, "etl.run", "exclusive");
    return NOTHING;
  },
  "INSERT INTO etl.run (…) SELECT 'r' || coalesce(max(substr(run_id, 2)::integer), 0) + 1, 'planned', … FROM etl.run RETURNING *":
    async ({ db, tx, values }) => {
      const known = tx.scan(db.runs);
      const last = known.at(-1);
      const run = newRun(`r${known.length + 1}`, last ? last.first_txn_id + last.txn_rows : 1, values);
      await demand(tx.insert(db.runs, run.run_id, run), "etl.run");
      return rows(run);
    },
  "UPDATE etl.run SET redeliveries = redeliveries + 1 WHERE run_id = (SELECT run_id FROM etl.run WHERE begun_by_message AND (state = 'planned' OR created_at > now() - interval '15 minutes') ORDER BY redeliveries, created_at LIMIT 1) RETURNING *":
    async ({ db, tx }) => {
      const begun = tx.scan(db.runs).filter((run) => run.begun_by_message);
      const run = begun.sort((a, b) => a.redeliveries - b.redeliveries)[0];
      if (run === undefined) {
        return NOTHING;
      }
      return changed(await updateRun(db, tx, run.run_id, (row) => ({ redeliveries: row.redeliveries + 1 })));
    },
  "SELECT * FROM etl.run WHERE run_id = $1 [FOR UPDATE]": async ({ db, tx, values, words }) =>
    changed(await seen(tx, db.runs, String(values[0]), words[0])),
  "SELECT current_database() AS database, (SELECT to_char(created_at …) FROM etl.run WHERE run_id = $1) AS created_at":
    async ({ db, tx, values }) => {
      const run = await seen(tx, db.runs, String(values[0]), undefined);
      return rows({ database: "simulated", created_at: run === undefined ? null : "then" });
    },
  "SELECT state FROM etl.run WHERE run_id = $1 FOR KEY SHARE": async ({ db, tx, values }) =>
    changed(await tx.lock(db.runs, String(values[0]), "share")),
  "UPDATE etl.run SET state = CASE WHEN $2 = 0 THEN 'done' ELSE 'running' END, chunks_total = $2, months_total = $3, next_chunk = least($2, window_chunks), … WHERE run_id = $1":
    async ({ db, tx, values: [run, chunks, months] }) =>
      changed(
        await updateRun(db, tx, run, (row) => ({
          state: chunks === 0 ? "done" : "running",
          chunks_total: Number(chunks),
          months_total: Number(months),
          next_chunk: Math.min(Number(chunks), row.window_chunks),
        })),
      ),
  "UPDATE etl.run SET next_chunk = next_chunk + 1 WHERE run_id = $1 AND next_chunk < chunks_total RETURNING next_chunk - 1 AS chunk_no":
    async ({ db, tx, values: [run] }) => {
      let released: number | undefined;
      await updateRun(db, tx, run, (row) => {
        if (row.next_chunk < (row.chunks_total ?? 0)) {
          released = row.next_chunk;
        }
        return { next_chunk: row.next_chunk + (released === undefined ? 0 : 1) };
      });
      return released === undefined ? NOTHING : rows({ chunk_no: released });
    },
  "UPDATE etl.run SET months_done = months_done + 1, state = CASE WHEN months_done + 1 = months_total THEN 'done' ELSE state END, … WHERE run_id = $1 RETURNING state = 'done' AS done":
    async ({ db, tx, values: [run] }) => {
      const row = await updateRun(db, tx, run, ({ months_done, months_total, state }) => ({
        months_done: months_done + 1,
        state: months_done + 1 === months_total ? "done" : state,
      }));
      return row === undefined ? NOTHING : rows({ done: row.state === "done" });
    },

  "UPDATE etl.run SET state = 'cancelled', … WHERE run_id = $1": async ({ db, tx, values: [run] }) =>
    changed(await updateRun(db, tx, run, () => ({ state: "cancelled" }))),

  // Months of a run.
  "INSERT INTO etl.run_month (run_id, month, txn_rows, chunks_total) SELECT $1, month, txn_rows, chunks FROM unnest($2::date[], $3::bigint[], $4::integer[]) AS m (month, txn_rows, chunks)":
    async ({ db, tx, values: [run, months, , chunks] }) => {
      for (const [i, month] of (months as string[]).entries()) {
        const row = { run: String(run), month, chunks_total: (chunks as number[])[i] ?? 0, chunks_done: 0 };
        await demand(tx.insert(db.runMonths, `${run}/${month}`, { ...row, state: "open" }), "etl.run_month");
      }
      return NOTHING;
    },
  "UPDATE etl.run_month SET chunks_done = chunks_done + 1 WHERE run_id = $1 AND month = $2 RETURNING chunks_done = chunks_total AS complete":
    async ({ db, tx, values: [run, month] }) => {
      const row = await tx.update(db.runMonths, `${run}/${month}`, (old) => {
        if (old.chunks_done === old.chunks_total) {
          throw sqlError("23514", "chunks_done <= chunks_total");
        }
        return { ...old, chunks_done: old.chunks_done + 1 };
      });
      return row === undefined ? NOTHING : rows({ complete: row.chunks_done === row.chunks_total });
    },
  "SELECT chunks_done = chunks_total AS complete, state = 'done' AS done FROM etl.run_month WHERE run_id = $1 AND month = $2 [FOR UPDATE]":
    async ({ db, tx, values: [run, month], words }) => {
      const row = await seen(tx, db.runMonths, `${run}/${month}`, words[0]);
      if (row === undefined) {
        return NOTHING;
      }
      return rows({ complete: row.chunks_done === row.chunks_total, done: row.state === "done" });
    },
  "UPDATE etl.run_month SET state = 'done', … WHERE run_id = $1 AND month = $2": async ({ db, tx, values }) =>
    changed(
      await tx.update(db.runMonths, `${values[0]}/${values[1]}`, (row) => ({
        ...row,
        state: "done" as const,
      })),
    ),
  "SELECT month FROM etl.run_month WHERE run_id = $1 AND chunks_done = chunks_total AND state = 'open' ORDER BY month":
    ({ db, tx, values: [run] }) => {
      const open = tx.scan(db.runMonths).filter((row) => row.run === run && row.state === "open");
      return rows(
        ...open.filter((row) => row.chunks_done === row.chunks_total).map(({ month }) => ({ month })),
      );
    },

  "SELECT month FROM etl.run_month WHERE run_id = $1 AND state = 'open' ORDER BY month": ({
    db,
    tx,
    values: [run],
  }) => {
    const open = tx.scan(db.runMonths).filter((row) => row.run === run && row.state === "open");
    return rows(...open.map(({ month }) => ({ month })));
  },
  "DELETE FROM etl.run_month WHERE run_id = $1 AND month = $2": async ({ db, tx, values: [run, month] }) => {
    await tx.delete(db.runMonths, `${run}/${month}`);
    return NOTHING;
  },

  // Chunks.
  "SELECT n AS chunk_no FROM generate_series(0, $2::integer - 1) AS n WHERE NOT EXISTS (SELECT FROM etl.chunk WHERE run_id = $1 AND chunk_no = n) ORDER BY n":
    ({ db, tx, values: [run, count] }) =>
      rows(
        ...numbers(count)
          .filter((n) => tx.read(db.chunks, `${run}/${n}`) === undefined)
          .map((n) => ({ chunk_no: n })),
      ),
  "SELECT n AS chunk_no, c.state IS NOT NULL AS staged FROM etl.run r CROSS JOIN LATERAL generate_series(0, r.next_chunk - 1) AS n LEFT JOIN etl.chunk c ON c.run_id = r.run_id AND c.chunk_no = n WHERE r.run_id = $1 AND c.state IS DISTINCT FROM 'cleaned' ORDER BY n":
    ({ db, tx, values: [run] }) => {
      const states = numbers(tx.read(db.runs, String(run))?.next_chunk).map((n) => ({
        chunk_no: n,
        state: tx.read(db.chunks, `${run}/${n}`)?.state,
      }));
      const unfinished = states.filter(({ state }) => state !== "cleaned");
      return rows(...unfinished.map(({ chunk_no, state }) => ({ chunk_no, staged: state !== undefined })));
    },
  "INSERT INTO etl.chunk (run_id, chunk_no, month, state, first_txn_id, txn_rows, worker) VALUES ($1, $2, $3, 'staged', $4, $5, $6) ON CONFLICT DO NOTHING":
    async ({ db, tx, values: [run, chunk, month, , txn_rows] }) => {
      const row = {
        run: String(run),
        chunk: Number(chunk),
        month: String(month),
        txn_rows: Number(txn_rows),
      };
      const entered: ChunkRow = { ...row, state: "staged", accepted: null, released_chunk: null };
      return { rows: [], rowCount: (await tx.insert(db.chunks, `${run}/${chunk}`, entered)) ? 1 : 0 };
    },
  "UPDATE etl.chunk SET accepted_key = $3, … WHERE run_id = $1 AND chunk_no = $2": async ({
    db,
    tx,
    values,
  }) => changed(await tx.update(db.chunks, `${values[0]}/${values[1]}`, (row) => row)),
  "INSERT INTO etl.chunk_class (run_id, chunk_no, class, outcome, injected) SELECT $1, $2, class, outcome, injected FROM unnest($3::text[], $4::text[], $5::integer[]) AS key (class, outcome, injected)":
    async ({ db, tx, values: [run, chunk] }) => {
      await demand(tx.insert(db.findings, `${run}/${chunk}`, 0), "etl.chunk_class");
      return NOTHING;
    },
  "SELECT state, txn_rows, released_chunk FROM etl.chunk WHERE run_id = $1 AND chunk_no = $2 [FOR UPDATE]":
    async ({ db, tx, values, words }) =>
      changed(await seen(tx, db.chunks, `${values[0]}/${values[1]}`, words[0])),
  "UPDATE etl.chunk SET state = 'cleaned', accepted = $3, repaired = $4, rejected = $5, released_chunk = $6, … WHERE run_id = $1 AND chunk_no = $2":
    async ({ db, tx, values }) => {
      const accepted = Number(values[2]);
      const released_chunk = values[5] as number | null;
      const cleaned = { state: "cleaned", accepted, released_chunk } as const;
      return changed(
        await tx.update(db.chunks, `${values[0]}/${values[1]}`, (row) => ({ ...row, ...cleaned })),
      );
    },

  "DELETE FROM etl.chunk WHERE run_id = $1 AND month = $2 RETURNING txn_rows": async ({
    db,
    tx,
    values: [run, month],
  }) => {
    const gone = tx.scan(db.chunks).filter((row) => row.run === run && row.month === month);
    for (const { chunk } of gone) {
      await tx.delete(db.findings, `${run}/${chunk}`);
      await tx.delete(db.chunks, `${run}/${chunk}`);
    }
    return rows(...gone.map(({ txn_rows }) => ({ txn_rows })));
  },
  "SELECT coalesce(sum(accepted), 0)::bigint AS accepted FROM etl.chunk WHERE run_id = $1 AND month = $2": ({
    db,
    tx,
    values: [run, month],
  }) => {
    const chunks = tx.scan(db.chunks).filter((row) => row.run === run && row.month === month);
    return rows({ accepted: chunks.reduce((sum, { accepted }) => sum + (accepted ?? 0), 0) });
  },

  // The dimensions.
  "SELECT (seed, accounts, merchants, terminals) = ($1::bigint, $2::integer, $3::integer, $4::integer) AS same FROM etl.population":
    () => rows({ same: true }),
};

function numbers(count: unknown): number[] {
  return Array.from({ length: Number(count) }, (_, n) => n);
}

async function updateRun(
  db: Database,
  tx: Transaction,
  run: unknown,
  change: (row: RunRow) => Partial<RunRow>,
): Promise<RunRow | undefined> {
  // Writers and LOCK TABLE … SHARE ROW EXCLUSIVE keep each other waiting.
  await tx.lock(db.tableLocks, "etl.run", "share");
  return tx.update(db.runs, String(run), (row) => ({ ...row, ...change(row) }) as RunRow);
}

function newRun(run_id: string, first_txn_id: number, values: readonly unknown[]): RunRow {
  const [
    txn_rows,
    seed,
    from_on,
    to_on,
    dirt_rate,
    fraud_rate,
    fraud_difficulty,
    chunk_rows,
    generator_version,
    window_chunks,
    begun,
  ] = values;
  const spec = {
    seed,
    from_on,
    to_on,
    dirt_rate,
    fraud_rate,
    fraud_difficulty,
    chunk_rows,
    generator_version,
  };
  return {
    ...spec,
    run_id,
    first_txn_id,
    txn_rows: Number(txn_rows),
    window_chunks: Number(window_chunks),
    begun_by_message: begun === true,
    state: "planned",
    chunks_total: null,
    next_chunk: 0,
    months_total: null,
    months_done: 0,
    redeliveries: 0,
  };
}
