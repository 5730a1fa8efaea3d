import { type Database, rowsIn, type Slice, slicesOf } from "./database.js";
import { type Call, demand, type Meanings, NOTHING, type Result, rows } from "./meaning.js";
import { sqlError, type Table, type Transaction } from "./store.js";

/** Statements on rows of transactions: the builds they are copied into, the leaves they end in, their roll-ups. */
export const BUILD_MEANINGS: Meanings = {
  "SELECT etl.create_builds($1, $2, …)": async ({ db, tx, values: [run, months] }) => {
    for (const month of months as string[]) {
      await demand(tx.insert(db.builds, `${run}/${month}`, true), "staging", "42P07");
    }
    return rows({});
  },
  'COPY "staging"."<build>" (…) FROM STDIN (FORMAT binary)': async (call) => {
    const { db, tx, values, words } = call;
    const { run, month } = await build(call, words[0]);
    const bytes = values[0] as readonly number[];
    for (const slice of slicesOf({ run, month, chunk: bytes[0] ?? -1 }, bytes.length)) {
      await tx.insert(slice.part === "right" ? db.built : db.suspects, db.serial(), slice);
    }
    return NOTHING;
  },
  'WITH … DELETE FROM "staging"."<suspects>" … INSERT INTO payments.txn_reject … INSERT INTO "staging"."<leaf>" …':
    judge,
  "DELETE FROM payments.txn_reject WHERE run_id = $1 AND chunk_no IN (SELECT chunk_no FROM etl.chunk WHERE run_id = $1 AND month = $2)":
    async ({ db, tx, values: [run, month] }) => {
      for (const [key] of of(tx, db.rejects, String(run), String(month))) {
        await tx.delete(db.rejects, key);
      }
      return NOTHING;
    },
  "SELECT etl.publish_build($1, $2)": publish,
  "SELECT etl.drop_build($1, $2)": async ({ db, tx, values: [run, month] }) => {
    await drop(db, tx, String(run), String(month));
    return rows({});
  },
  'INSERT INTO "payments"."<leaf>" … FROM "staging"."<build>"': async (call) => {
    const { db, tx, words } = call;
    const { run, month } = await build(call, words[1]);
    const leaf = monthOf(words[0]);
    if ((await tx.lock(db.leaves, leaf, "share")) === undefined) {
      throw noTable(words[0]);
    }
    const copied = of(tx, db.built, run, month).map(([, slice]) => slice);
    for (const slice of copied) {
      await enter(tx, db.txn, { ...slice, month: leaf });
    }
    return { rows: [], rowCount: rowsIn(copied) };
  },
  "SELECT n.nspname || '.' || c.relname AS name FROM pg_inherits i … WHERE i.inhparent = 'payments.txn'::regclass …":
    ({ db, tx, values: [month] }) => {
      const [year, monthNo] = String(month).split("-");
      return tx.read(db.leaves, String(month)) === undefined
        ? NOTHING
        : rows({ name: `payments.txn_${year}_${monthNo}` });
    },

  // Published months.
  "INSERT INTO etl.month AS m (month) VALUES ($1) ON CONFLICT (month) DO UPDATE SET month = m.month RETURNING xmax = 0 AS entered":
    async ({ db, tx, values: [month] }) => {
      const entered = await tx.insert(db.months, String(month), true);
      if (!entered) {
        await tx.update(db.months, String(month), (row) => row);
      }
      return rows({ entered });
    },
  "SELECT FROM etl.month WHERE month = $1 FOR UPDATE": async ({ db, tx, values: [month] }) =>
    (await tx.lock(db.months, String(month), "exclusive")) === undefined ? NOTHING : rows({}),
  "SELECT run_id FROM etl.run_month rm JOIN etl.run r USING (run_id) WHERE month = $1 AND rm.state = 'done' ORDER BY r.first_txn_id":
    ({ db, tx, values: [month] }) => {
      const done = tx.scan(db.runMonths).filter((row) => row.month === month && row.state === "done");
      return rows(...done.map(({ run }) => ({ run_id: run })));
    },
  "DELETE FROM payments.agg_<table> WHERE month = $1": async ({ db, tx, values, words }) => {
    const key = `${words[0]}/${values[0]}`;
    const old = tx.read(db.rollups, key);
    // Rows that another has put in their place meanwhile are others, which this statement does not see.
    if ((await tx.lock(db.rollups, key, "exclusive")) === old) {
      await tx.delete(db.rollups, key);
    }
    return NOTHING;
  },
  'INSERT INTO payments.agg_<table> AS standing (…) … FROM "<schema>"."<leaf>" … ON CONFLICT (…) DO UPDATE SET …':
    async (call) => {
      const { db, tx, values, words } = call;
      const [table, schema, leaf] = words;
      const key = `${table}/${values[0]}`;
      const groups = await leafRows(call, schema, leaf);
      if (!(await tx.insert(db.rollups, key, groups))) {
        await tx.update(db.rollups, key, (standing) => [...standing, ...groups]);
      }
      return NOTHING;
    },
  'INSERT INTO payments.agg_<table> AS standing (…) … FROM "<schema>"."<leaf>" …': async (call) => {
    const { db, tx, values, words } = call;
    const [table, schema, leaf] = words;
    await demand(
      tx.insert(db.rollups, `${table}/${values[0]}`, await leafRows(call, schema, leaf)),
      "roll-up",
    );
    return NOTHING;
  },
  "SELECT coalesce(sum(txn_count), 0)::bigint AS rows FROM payments.agg_network_hour WHERE month = $1": ({
    db,
    tx,
    values,
  }) => rows({ rows: rowsIn(tx.read(db.rollups, `network_hour/${values[0]}`) ?? []) }),
};

/** db/queries/clean_chunk.sql, whatever is in it: takes a chunk's suspects out, and puts each where it belongs. */
async function judge(call: Call): Promise<Result> {
  const { db, tx, values, words } = call;
  const [run, chunk] = [String(values[0]), Number(values[1])];
  const place = await build(call, words[0]);
  await build(call, words[1]);
  let [passed, rejected] = [0, 0];
  for (const [key, { chunk: other }] of of(tx, db.suspects, place.run, place.month)) {
    if (place.run !== run || other !== chunk) {
      continue;
    }
    // Gone, if another was at it.
    const slice = await tx.lock(db.suspects, key, "exclusive");
    if (slice === undefined) {
      continue;
    }
    await tx.delete(db.suspects, key);
    if (slice.part === "rejected") {
      await enter(tx, db.rejects, slice);
      rejected += slice.rows;
    } else {
      await tx.insert(db.built, db.serial(), slice);
      passed += slice.rows;
    }
  }
  const suspects = passed + rejected;
  if (suspects > 0) {
    await tx.update(db.findings, `${run}/${chunk}`, () => suspects);
  }
  return rows({ suspects, passed, repaired: passed, rejected, reasons: {} });
}

async function publish({ db, tx, values }: Call): Promise<Result> {
  const [run, month] = [String(values[0]), String(values[1])];
  const built = of(tx, db.built, run, month);
  if (!(await drop(db, tx, run, month))) {
    throw noTable(`${run}/${month}`);
  }
  await demand(tx.insert(db.leaves, month, true), "payments", "42P07");
  for (const [, slice] of built) {
    await enter(tx, db.txn, slice);
  }
  // ATTACH: one at a time, beside readers and writers.
  await tx.lock(db.tableLocks, "payments.txn", "write");
  return rows({});
}

/** @returns whether it was there. */
async function drop(db: Database, tx: Transaction, run: string, month: string): Promise<boolean> {
  if (!(await tx.delete(db.builds, `${run}/${month}`))) {
    return false;
  }
  for (const table of [db.built, db.suspects]) {
    for (const [key] of of(tx, table, run, month)) {
      await tx.delete(table, key);
    }
  }
  return true;
}

/** Into a table with a key. */
async function enter(tx: Transaction, table: Table<Slice>, slice: Slice): Promise<void> {
  const { run, month, chunk, part } = slice;
  await demand(tx.insert(table, `${run}/${month}/${chunk}/${part}`, slice), "a unique key");
}

/** Rows of a leaf, published or not. */
async function leafRows(call: Call, schema: string | undefined, leaf: string | undefined): Promise<Slice[]> {
  const { db, tx } = call;
  if (schema === "staging") {
    const { run, month } = await build(call, leaf);
    return of(tx, db.built, run, month).map(([, slice]) => slice);
  }
  const month = monthOf(leaf);
  if ((await tx.lock(db.leaves, month, "share")) === undefined) {
    throw noTable(leaf);
  }
  return tx.scan(db.txn).filter((slice) => slice.month === month);
}

function of(tx: Transaction, table: Table<Slice>, run: string, month: string): [string, Slice][] {
  return tx.entries(table).filter(([, slice]) => slice.run === run && slice.month === month);
}

/** Locks a build for reading and writing, by the name of one of its tables: txn_<run>_<year>_<month>, with or without a suffix. */
async function build({ db, tx }: Call, table: string | undefined): Promise<{ run: string; month: string }> {
  const [, run = "", year, monthNo] = String(table).split("_");
  const month = `${year}-${monthNo}-01`;
  if ((await tx.lock(db.builds, `${run}/${month}`, "share")) === undefined) {
    throw noTable(table);
  }
  return { run, month };
}

/** Of the leaf txn_<year>_<month>. */
function monthOf(leaf: string | undefined): string {
  const [, year, monthNo] = String(leaf).split("_");
  return `${year}-${monthNo}-01`;
}

function noTable(table: string | undefined): Error {
  return sqlError("42P01", `there is no table ${table}`);
}
