import { readFileSync } from "node:fs";
import { join } from "node:path";
import { MODULES } from "../app/modules.js";
import { type AllSettings, loadAllSettings } from "../app/settings.js";
import { seed } from "../etl/seed/seed.js";
import { migrateUp } from "../lib/postgres/migrate.js";
import { createPool, type Pool, type Queryable } from "../lib/postgres/pool.js";
import { withPool } from "../lib/postgres/with_pool.js";
import { packageRoot } from "../lib/root.js";
import { run } from "./process.js";

const STACK_SH = join(packageRoot, "scripts", "stack.sh");
const VHOST = "bench";
/** Migrated and seeded once; every measurement begins on a copy of it. */
const TEMPLATE = "bench_template";
const DATABASE = "bench_run";
const SCRATCH = "bench_scratch";
const LAKE = "bench_lake";

/** The local stack's servers, and what of the bench is on them: a vhost and databases, whose names are the bench's alone. */
export class Stack {
  readonly dir: string;
  /** The user's. */
  readonly own: AllSettings;
  /** The same, with the bench's database and vhost in place of the user's, and no data lake or model: those are the user's. */
  readonly settings: AllSettings;
  readonly signal: AbortSignal;
  /** Of the admin, on the maintenance database. */
  readonly admin: Pool;
  /** Where psql and pgbench of the server's own version are: those on the PATH may be another version's, or a wrapper. */
  pgBin = "";

  private constructor(dir: string, settings: AllSettings, signal: AbortSignal) {
    this.dir = dir;
    this.own = settings;
    this.settings = {
      ...settings,
      POSTGRES_DB: DATABASE,
      RABBITMQ_VHOST: VHOST,
      DATALAKE_DATABASE_URL: "",
      OPENAI_API_KEY: "",
    };
    this.signal = signal;
    this.admin = createPool(settings, { role: "admin", max: 1, database: "postgres" });
  }

  /** The stack in STACK_DIR, started if it is not up. What is not the stack's to say comes from environment and `.env`. */
  static async open(signal: AbortSignal): Promise<Stack> {
    await stackUp();
    const stdout = await run([STACK_SH, "env"], { env: process.env });
    const lines = [...stdout.matchAll(/^export (\w+)='(.*)'$/gm)];
    const own = Object.fromEntries(lines.map(([, name, value]) => [name ?? "", value]));
    const settings = loadAllSettings({ env: { ...process.env, ...own } });
    return new Stack(own["STACK_DIR"] ?? "", settings, signal);
  }

  /** Makes vhost and template for the length of `work`; what an earlier bench left behind goes first. */
  async prepared<T>(work: () => Promise<T>): Promise<T> {
    try {
      const { rows } = await this.admin.query<{ server_version_num: string }>("SHOW server_version_num");
      const major = Math.floor(Number(rows[0]?.server_version_num) / 10_000);
      this.pgBin = `/usr/lib/postgresql/${major}/bin`;
      await this.#removeAll();
      await this.#addVhost();
      await this.#createTemplate();
      return await work();
    } finally {
      await this.#removeAll();
      await this.admin.end();
    }
  }

  /** A database that is migrated, seeded and otherwise empty, for the length of `work`. */
  withDatabase<T>(work: () => Promise<T>): Promise<T> {
    return this.#with(DATABASE, TEMPLATE, work);
  }

  /** An empty database for the length of `work`, which gets its name. */
  withScratch<T>(work: (name: string) => Promise<T>): Promise<T> {
    return this.#with(SCRATCH, "template0", work);
  }

  /** A data lake without a row for the length of `work`, which gets its name and what points a poller at it. */
  async withLake<T>(work: (lake: { readonly name: string; readonly url: string }) => Promise<T>): Promise<T> {
    const url = Object.assign(new URL(this.own.DATALAKE_DATABASE_URL), { pathname: `/${LAKE}` }).href;
    return this.#with(LAKE, "template0 ENCODING 'UTF8' LC_COLLATE 'C'", async (name) => {
      const sql = readFileSync(join(packageRoot, "db", "datalake.sql"), "utf8");
      await withPool(this.settings, { role: "admin", database: name }, (pool) => pool.query(sql));
      return work({ name, url });
    });
  }

  async #with<T>(database: string, template: string, work: (name: string) => Promise<T>): Promise<T> {
    this.signal.throwIfAborted();
    await this.admin.query(`CREATE DATABASE ${database} OWNER payments_owner TEMPLATE ${template}`);
    try {
      return await work(database);
    } finally {
      await this.#drop(database);
    }
  }

  /** Without a queue or a message of an earlier measurement. */
  async emptyVhost(): Promise<void> {
    await this.rabbitmqctl("delete_vhost", VHOST);
    await this.#addVhost();
  }

  async #addVhost(): Promise<void> {
    await this.rabbitmqctl("add_vhost", VHOST);
    await this.rabbitmqctl("set_permissions", "-p", VHOST, this.settings.RABBITMQ_USER, ".*", ".*", ".*");
  }

  /** So that no measurement pays for the pages that an earlier one dirtied. */
  async checkpoint(): Promise<void> {
    this.signal.throwIfAborted();
    await this.admin.query("CHECKPOINT");
  }

  /** As the owner, who alone may make tables. @returns what psql prints: one line a command. */
  psql(script: string): Promise<string> {
    const command = [join(this.pgBin, "psql"), "-X", "-v", "ON_ERROR_STOP=1", "-f", "-"];
    return run(command, { env: this.ownerEnv(), input: script, signal: this.signal });
  }

  /** What points a client of PostgreSQL at the bench's database, as the loader: the least that may write. */
  clientEnv(): NodeJS.ProcessEnv {
    const { settings } = this;
    return {
      PGHOST: settings.POSTGRES_HOST,
      PGPORT: String(settings.POSTGRES_PORT),
      PGDATABASE: settings.POSTGRES_DB,
      PGUSER: settings.POSTGRES_USER,
      PGPASSWORD: settings.POSTGRES_PASSWORD,
      // As the database the template was copied from has it; a copy does not take that over.
      PGOPTIONS: "-c TimeZone=UTC -c search_path=payments,public",
    };
  }

  /** The same, as the owner. */
  ownerEnv(): NodeJS.ProcessEnv {
    const env = this.clientEnv();
    return {
      ...env,
      PGUSER: this.settings.POSTGRES_ADMIN_USER,
      PGPASSWORD: this.settings.POSTGRES_ADMIN_PASSWORD,
      PGOPTIONS: `${env["PGOPTIONS"]} -c role=payments_owner`,
    };
  }

  /** Runs `work` as the superuser, for what no role of the platform may do. */
  async asSuperuser<T>(work: (db: Queryable) => Promise<T>): Promise<T> {
    const password = readFileSync(join(this.dir, "secrets", "postgres_password"), "utf8").trim();
    const settings = { ...this.settings, POSTGRES_USER: "postgres", POSTGRES_PASSWORD: password };
    return withPool(settings, { database: "postgres" }, work);
  }

  async #createTemplate(): Promise<void> {
    // As db/roles.sql makes the user's.
    await this.admin.query(
      `CREATE DATABASE ${TEMPLATE} OWNER payments_owner TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C'`,
    );
    const settings = { ...this.settings, POSTGRES_DB: TEMPLATE };
    await withPool(settings, { role: "admin" }, (pool) => migrateUp(pool, MODULES));
    await withPool(settings, {}, seed);
  }

  /** Also after an interruption, hence without the signal. */
  async #removeAll(): Promise<void> {
    for (const database of [DATABASE, SCRATCH, LAKE, TEMPLATE]) {
      await this.#drop(database);
    }
    const vhosts = await this.rabbitmqctl("list_vhosts", "--no-table-headers");
    if (vhosts.split("\n").includes(VHOST)) {
      await this.rabbitmqctl("delete_vhost", VHOST);
    }
  }

  async #drop(database: string): Promise<void> {
    await this.admin.query(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
  }

  /** @returns what it prints. */
  rabbitmqctl(...args: string[]): Promise<string> {
    return run([STACK_SH, "rabbitmqctl", "-q", ...args], { env: { STACK_DIR: this.dir } });
  }
}

/** Starts whatever of the stack is down, with the caller's own wishes for ports and memory, so that it comes back as it was. */
export async function stackUp(): Promise<void> {
  await run([STACK_SH, "up"], { env: process.env });
}
