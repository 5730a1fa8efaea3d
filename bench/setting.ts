import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { InvalidArgumentError } from "commander";
import { formatCount, formatTable } from "../lib/cli/table.js";
import type { Queryable } from "../lib/postgres/pool.js";
import { BenchError } from "./errors.js";
import { DURABILITY, requireDisk } from "./machine.js";
import { runPipeline } from "./pipeline.js";
import { until } from "./process.js";
import { rateOf, spreadCells, spreadOf } from "./ratios.js";
import type { Report } from "./report.js";
import { type Stack, stackUp } from "./stack.js";

export interface Change {
  readonly name: string;
  readonly value: string;
}

interface SettingOptions {
  readonly rows: number;
  readonly runs: number;
}

/** By these the bench itself finds the server. */
const OURS = ["port", "listen_addresses"];
const RELOAD_MS = 30_000;
const STOP_MS = 120_000;

/** `name=value` of a server setting. */
export function readChange(text: string): Change {
  const [, name, value] = /^([a-z_][a-z0-9_.]*)\s*=\s*(.*\S)\s*$/i.exec(text) ?? [];
  if (name === undefined || value === undefined) {
    throw new InvalidArgumentError("It takes NAME=VALUE.");
  }
  const known = name.toLowerCase();
  if (known in DURABILITY) {
    throw new InvalidArgumentError(`${known} keeps commits safe and is not up for change.`);
  }
  if (OURS.includes(known)) {
    throw new InvalidArgumentError(`${known} is how the server is reached.`);
  }
  return { name: known, value };
}

/** The default run's load, in turn with the stack's setting and with the other one. */
export async function benchSetting(
  stack: Stack,
  report: Report,
  { rows, runs }: SettingOptions,
  change: Change,
): Promise<void> {
  await stack.asSuperuser((db) => noteOf(db, change.name)); // a name that does not exist is better told before the load
  await requireDisk(stack, { loadedRows: rows });
  const figures: { round: number; value: string; rows: number; seconds: number }[] = [];
  const ratios: number[] = [];
  const measure = async (round: number) => {
    const value = await stack.asSuperuser((db) => current(db, change.name));
    const { rows: accepted, seconds } = await stack.withDatabase(() => runPipeline(stack, rows));
    const figure = { round, value, rows: accepted, seconds };
    figures.push(figure);
    report.say(
      `round ${round}  ${change.name} = ${value}: ${formatCount(Math.round(rateOf(figure)))} rows/s`,
    );
    return figure;
  };
  try {
    for (let round = 1; round <= runs; round++) {
      const before = await measure(round);
      await apply(stack, change);
      const after = await measure(round);
      await putBack(stack);
      if (after.value === before.value) {
        throw new BenchError("BENCH_REFUSED", `${change.name} is ${before.value} on this stack anyway.`);
      }
      ratios.push(rateOf(after) / rateOf(before));
      await report.save({ options: { rows, runs, change }, figures, ratios });
    }
  } finally {
    await putBack(stack);
  }
  const values = [...new Set(figures.map(({ value }) => value))];
  const table = values.map((value) => {
    const rates = figures.filter((each) => each.value === value).map(rateOf);
    return [`${change.name} = ${value}`, ...spreadCells(spreadOf(rates))];
  });
  table.push(["the other / the stack's", ...spreadCells(spreadOf(ratios), 3)]);
  report.print(formatTable(["setting", "rows/s median", "min", "max"], table));
}

/** What undoes a change, kept in a file while the change stands, so that the next bench finds it if this one is killed. */
interface Note {
  readonly name: string;
  readonly restart: boolean;
  /** Of an ALTER SYSTEM of the user's own. */
  readonly had: string | null;
  readonly file: string;
  readonly text: string;
}

function noteFile(stack: Stack): string {
  return join(stack.dir, "run", "bench_setting.json");
}

/** @throws PlatformError BENCH_REFUSED when PostgreSQL has no such setting, or not this value for it. */
async function apply(stack: Stack, change: Change): Promise<void> {
  const note = await stack.asSuperuser((db) => noteOf(db, change.name));
  writeFileSync(noteFile(stack), JSON.stringify(note), { mode: 0o600 });
  await alter(stack, note, change.value).catch((error: unknown) => {
    const message = `PostgreSQL does not take ${change.name} = ${change.value}.`;
    throw new BenchError("BENCH_REFUSED", `${message} ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  });
}

async function noteOf(db: Queryable, name: string): Promise<Note> {
  const { rows } = await db.query<{ context: string; had: string | null; file: string }>(
    `SELECT context, current_setting('data_directory') || '/postgresql.auto.conf' AS file,
            (SELECT setting FROM pg_file_settings f
             WHERE f.name = s.name AND sourcefile LIKE '%/postgresql.auto.conf' ORDER BY seqno DESC LIMIT 1) AS had
     FROM pg_settings s WHERE name = $1`,
    [name],
  );
  const [row] = rows;
  if (row === undefined || row.context === "internal") {
    throw new BenchError("BENCH_REFUSED", `${name} is no setting of this server that can be changed.`);
  }
  const text = readFileSync(row.file, "utf8");
  return { name, restart: row.context === "postmaster", had: row.had, file: row.file, text };
}

/** Takes a change back, if one stands; also when the server does not start with it. */
export async function putBack(stack: Stack): Promise<void> {
  if (!existsSync(noteFile(stack))) {
    return;
  }
  const note = JSON.parse(readFileSync(noteFile(stack), "utf8")) as Note;
  try {
    await alter(stack, note, note.had);
  } catch {
    // Its owner stays what it was, as the file is written in place.
    writeFileSync(note.file, note.text);
    await restartPostgres(stack);
  }
  rmSync(noteFile(stack));
}

async function alter(stack: Stack, { name, restart }: Note, value: string | null): Promise<void> {
  await stack.asSuperuser(async (db) => {
    const quoted = value === null ? "" : `'${value.replaceAll("'", "''")}'`;
    await db.query(value === null ? `ALTER SYSTEM RESET ${name}` : `ALTER SYSTEM SET ${name} = ${quoted}`);
    if (!restart) {
      await reload(stack, db);
    }
  });
  if (restart) {
    await restartPostgres(stack);
  }
}

/** Resolves when new sessions have it. */
async function reload(stack: Stack, db: Queryable): Promise<void> {
  const loadedAt = () =>
    stack.asSuperuser(async (fresh) => {
      const { rows } = await fresh.query<{ at: string }>("SELECT pg_conf_load_time()::text AS at");
      return rows[0]?.at;
    });
  const before = await loadedAt();
  await db.query("SELECT pg_reload_conf()");
  const reloaded = async () => (await loadedAt()) !== before;
  await until("PostgreSQL to reload its settings", reloaded, { withinMs: RELOAD_MS });
}

/** Only PostgreSQL, and fast: workers of the user's wait until it is back. */
async function restartPostgres(stack: Stack): Promise<void> {
  const [pid, startedAt] = readFileSync(join(stack.dir, "run", "postgres.pid"), "utf8")
    .trim()
    .split(" ");
  const alive = () => startTime(Number(pid)) === startedAt;
  if (alive()) {
    process.kill(Number(pid), "SIGINT");
  }
  await until("PostgreSQL to stop", () => !alive(), { withinMs: STOP_MS });
  await stackUp();
}

/** Field 22 of /proc/PID/stat, which scripts/lib.sh keeps beside the pid; undefined when there is no such process any more. */
function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(") ") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

async function current(db: Queryable, name: string): Promise<string> {
  const { rows } = await db.query<{ value: string }>("SELECT current_setting($1) AS value", [name]);
  return rows[0]?.value ?? "";
}
