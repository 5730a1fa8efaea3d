import { BAD_ROWS, type ChunkRow, type Database, inventory, type RunRow, slicesIn } from "./database.js";
import { sqlError, type Transaction } from "./store.js";

/** What a query resolves to. */
export interface Result {
  readonly rows: readonly object[];
  readonly rowCount: number;
}

export const NOTHING: Result = { rows: [], rowCount: 0 };

interface Call {
  readonly db: Database;
  readonly tx: Transaction;
  readonly values: readonly unknown[];
  /** What stood at the `<…>` of the pattern, and in its optional `[…]`. */
  readonly words: readonly (string | undefined)[];
}

export type Meaning = (call: Call) => Promise<Result> | Result;

/**
 * What the steps' statements mean, by their text. `<x>` is a word, `[…]` may be missing, `…` stands for columns that only
 * measure. Anything else must be just so: a statement that was changed is one that is not known.
 */
export const MEANINGS: Readonly<Record<string, Meaning>> = {
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
  "UPDATE etl.run SET redeliveries = redeliveries + 1 WHERE run_id = (SELECT run_id FROM etl.run WHERE begun_by_message AND created_at > now() - interval '15 minutes' ORDER BY redeliveries, created_at LIMIT 1) RETURNING *":
    async ({ db, tx }) => {
      const begun = tx.scan(db.runs).filter((run) => run.begun_by_message);
      const run = begun.sort((a, b) => a.redeliveries - b.redeliveries)[0];
      if (run === undefined) return NOTHING;
      return changed(await updateRun(db, tx, run.run_id, (row) => ({ redeliveries: row.redeliveries + 1 })));
    },
  "SELECT * FROM etl.run WHERE run_id = $1 [FOR UPDATE]": async ({ db, tx, values, words }) =>
    changed(await seen(tx, db.runs, String(values[0]), words[0])),
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
        if (row.next_chunk < (row.chunks_total ?? 0)) released = row.next_chunk;
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
        if (old.chunks_done === old.chunks_total) throw sqlError("23514", "chunks_done <= chunks_total");
        return { ...old, chunks_done: old.chunks_done + 1 };
      });
      return row === undefined ? NOTHING : rows({ complete: row.chunks_done === row.chunks_total });
    },
  "SELECT chunks_done = chunks_total AS complete, state = 'done' AS done FROM etl.run_month WHERE run_id = $1 AND month = $2 [FOR UPDATE]":
    async ({ db, tx, values: [run, month], words }) => {
      const row = await seen(tx, db.runMonths, `${run}/${month}`, words[0]);
      if (row === undefined) return NOTHING;
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

  // Months and their leaves.
  "INSERT INTO etl.month AS m (month, state) VALUES ($1, 'building') ON CONFLICT (month) DO UPDATE SET state = m.state RETURNING xmax = 0 AS created":
    async ({ db, tx, values: [month] }) => {
      const created = await tx.insert(db.months, String(month), { state: "building" });
      if (!created) await tx.update(db.months, String(month), (row) => row);
      return rows({ created });
    },
  "SELECT etl.create_leaf($1)": async ({ db, tx, values: [month] }) => {
    await demand(tx.insert(db.leaves, String(month), { attached: false }), "leaf", "42P07");
    return rows({});
  },
  "SELECT state FROM etl.month WHERE month = $1 [FOR UPDATE]": async ({ db, tx, values: [month], words }) =>
    changed(await seen(tx, db.months, String(month), words[0])),
  "SELECT etl.publish_leaf($1)": async ({ db, tx, values }) => {
    const month = String(values[0]);
    const leaf = await tx.lock(db.leaves, month, "exclusive");
    if (leaf === undefined) throw sqlError("42P01", "there is no such leaf");
    if (leaf.attached) throw sqlError("42P17", "the leaf is a partition already");
    const slices = slicesIn(tx, db, month).map(({ run, chunk }) => `${run}/${chunk}`);
    if (new Set(slices).size < slices.length) throw sqlError("23505", "could not create unique index");
    await tx.update(db.leaves, month, () => ({ attached: true }));
    if (!(await tx.insert(db.published, month, 1)))
      await tx.update(db.published, month, (times) => times + 1);
    return rows({});
  },
  "UPDATE etl.month SET state = 'published', … WHERE month = $1": async ({ db, tx, values: [month] }) =>
    changed(await tx.update(db.months, String(month), () => ({ state: "published" }))),
  "DELETE FROM payments.agg_<table> WHERE month = $1": async ({
    db,
    tx,
    values: [month],
    words: [table],
  }) => {
    await tx.delete(db.rollups, `${table}/${month}`);
    return NOTHING;
  },
  'INSERT INTO payments.agg_<table> … FROM "payments"."txn_<year>_<month>" …': async ({
    db,
    tx,
    values,
    words,
  }) => {
    const month = String(values[0]);
    await tx.lock(db.leaves, month, "share");
    const sums = inventory(slicesIn(tx, db, month));
    await demand(tx.insert(db.rollups, `${words[0]}/${month}`, sums), "roll-up");
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
      const entered: ChunkRow = { ...row, state: "staged", released_chunk: null };
      return { rows: [], rowCount: (await tx.insert(db.chunks, `${run}/${chunk}`, entered)) ? 1 : 0 };
    },
  "UPDATE etl.chunk SET accepted_key = $3, … WHERE run_id = $1 AND chunk_no = $2": async ({
    db,
    tx,
    values,
  }) => changed(await tx.update(db.chunks, `${values[0]}/${values[1]}`, (row) => row)),
  "INSERT INTO etl.chunk_class (run_id, chunk_no, class, outcome, injected) SELECT $1, $2, class, outcome, injected FROM unnest($3::text[], $4::text[], $5::integer[]) AS key (class, outcome, injected)":
    async ({ db, tx, values: [run, chunk] }) => {
      const row = { run: String(run), chunk: Number(chunk), found: 0 };
      await demand(tx.insert(db.classes, `${run}/${chunk}`, row), "etl.chunk_class");
      return NOTHING;
    },
  "SELECT state, txn_rows, released_chunk FROM etl.chunk WHERE run_id = $1 AND chunk_no = $2 [FOR UPDATE]":
    async ({ db, tx, values, words }) =>
      changed(await seen(tx, db.chunks, `${values[0]}/${values[1]}`, words[0])),
  "DELETE FROM etl.chunk WHERE run_id = $1 AND chunk_no = $2 AND state = 'staged'": async ({
    db,
    tx,
    values,
  }) => {
    const key = `${values[0]}/${values[1]}`;
    if ((await tx.lock(db.chunks, key, "exclusive"))?.state !== "staged") return NOTHING;
    await tx.delete(db.classes, key);
    await tx.delete(db.chunks, key);
    return { rows: [], rowCount: 1 };
  },
  "UPDATE etl.chunk SET state = 'cleaned', accepted = $3, repaired = $4, rejected = $5, released_chunk = $6, … WHERE run_id = $1 AND chunk_no = $2":
    async ({ db, tx, values }) => {
      const released_chunk = values[5] as number | null;
      const cleaned = { state: "cleaned", released_chunk } as const;
      return changed(
        await tx.update(db.chunks, `${values[0]}/${values[1]}`, (row) => ({ ...row, ...cleaned })),
      );
    },

  // Staging tables.
  'CREATE UNLOGGED TABLE "staging"."<table>" (LIKE staging.txn_shape) …': async ({
    db,
    tx,
    words: [table],
  }) => {
    await demand(tx.insert(db.staging, String(table), 0), String(table), "42P07");
    return NOTHING;
  },
  'COPY "staging"."<table>" FROM STDIN …': async ({ db, tx, values: [count], words: [table] }) => {
    await tx.update(db.staging, String(table), (old) => old + Number(count));
    return NOTHING;
  },
  "SELECT to_regclass($1) IS NOT NULL AS present": ({ db, tx, values }) =>
    rows({ present: tx.read(db.staging, String(values[0]).replace("staging.", "")) !== undefined }),
  'SELECT count(*) AS n FROM "staging"."<table>"': async ({ db, tx, words: [table] }) =>
    rows({ n: await staged(db, tx, String(table)) }),
  'DROP TABLE [IF EXISTS] "staging"."<table>"': async ({ db, tx, words: [lenient, table] }) => {
    const dropped = await tx.delete(db.staging, String(table));
    if (!dropped && lenient === undefined) throw sqlError("42P01", `there is no table ${table}`);
    return NOTHING;
  },

  'WITH … FROM "staging"."<table>" … INSERT INTO payments.txn_reject …': cleanChunk,
  'INSERT INTO "payments"."txn_<year>_<month>" … FROM "staging"."<table>"': copyStaged,

  // The dimensions.
  "SELECT (seed, accounts, merchants, terminals) = ($1::bigint, $2::integer, $3::integer, $4::integer) AS same FROM etl.population":
    () => rows({ same: true }),
};

/** db/queries/clean_chunk.sql, whatever is in it: takes the bad rows out of a staged chunk, keeps and counts them. */
async function cleanChunk({ db, tx, words: [table] }: Call): Promise<Result> {
  const rejected = Math.min(BAD_ROWS, await staged(db, tx, String(table)));
  if (rejected > 0) {
    const [run, chunk] = chunkOf(table);
    await demand(
      tx.insert(db.rejects, `${run}/${chunk}`, { month: "", run, chunk, rows: rejected }),
      "txn_reject",
    );
    await tx.update(db.classes, `${run}/${chunk}`, (row) => ({ ...row, found: rejected }));
    await tx.update(db.staging, String(table), (rows) => rows - rejected);
  }
  return rows({ suspects: rejected, passed: 0, repaired: 0, rejected, reasons: {} });
}

/** db/queries/copy_staged.sql: what is left goes into the leaf. */
async function copyStaged({ db, tx, words: [year, monthNo, table] }: Call): Promise<Result> {
  const month = `${year}-${monthNo}-01`;
  const [run, chunk] = chunkOf(table);
  const count = await staged(db, tx, String(table));
  const leaf = await tx.lock(db.leaves, month, "share");
  if (leaf === undefined) throw sqlError("42P01", `there is no leaf ${month}`);
  if (count === 0) return NOTHING;
  const twin = slicesIn(tx, db, month).some((slice) => slice.run === run && slice.chunk === chunk);
  if (leaf.attached && twin) throw sqlError("23505", "duplicate key value violates unique constraint");
  await tx.insert(db.slices, String(db.serial()), { month, run, chunk, rows: count });
  return { rows: [], rowCount: count };
}

/** Run and chunk of the staging table txn_<run>_<chunk>. */
function chunkOf(table: string | undefined): [string, number] {
  const [, run, chunk] = String(table).split("_");
  return [String(run), Number(chunk)];
}

function rows(...found: readonly object[]): Result {
  return { rows: found, rowCount: found.length };
}

function changed(row: object | undefined): Result {
  return row === undefined ? NOTHING : rows(row);
}

function numbers(count: unknown): number[] {
  return Array.from({ length: Number(count) }, (_, n) => n);
}

async function demand(entered: Promise<boolean>, what: string, code = "23505"): Promise<void> {
  if (!(await entered)) throw sqlError(code, `${what} has it already`);
}

async function seen<T>(
  tx: Transaction,
  table: Parameters<typeof tx.read<T>>[0],
  key: string,
  lock: string | undefined,
) {
  return lock === undefined ? tx.read(table, key) : await tx.lock(table, key, "exclusive");
}

async function staged(db: Database, tx: Transaction, table: string): Promise<number> {
  const count = await tx.lock(db.staging, table, "share");
  if (count === undefined) throw sqlError("42P01", `there is no table ${table}`);
  return count;
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
    chunk_rows,
    generator_version,
    window_chunks,
    begun,
  ] = values;
  const spec = { seed, from_on, to_on, dirt_rate, fraud_rate, chunk_rows, generator_version };
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
