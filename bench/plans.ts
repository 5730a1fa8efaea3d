#!/usr/bin/env node
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import pg from "pg";
import { actionsOver } from "../app/cli.js";
import { MODULES } from "../app/modules.js";
import { print, withDatabase } from "../lib/cli/command.js";
import { runProgram } from "../lib/cli/program.js";
import { CoreError } from "../lib/core_errors.js";
import type { Pool } from "../lib/postgres/pool.js";
import { loadSql } from "../lib/postgres/sql.js";
import { write } from "../lib/process/stdout.js";
import { packageRoot } from "../lib/root.js";

const PAGE = join(packageRoot, "docs", "plans.md");
/** What is made anew: between a line that says of what, `database` or `plan NAME [leaf=TABLE] [PARAMETER]...`, and the end. */
const MARKED = /^(<!-- (database|plan (.*)) -->\n)[\s\S]*?(?=^<!-- end -->$)/gm;

async function page(pool: Pool): Promise<string> {
  const text = readFileSync(PAGE, "utf8");
  const made: string[] = [];
  for (const [, , , plan] of text.matchAll(MARKED)) {
    made.push(
      plan === undefined ? await database(pool) : `\`\`\`\n${await planOf(pool, plan.split(" "))}\n\`\`\``,
    );
  }
  return text.replace(MARKED, (_, mark: string) => `${mark}${made.shift()}\n`);
}

/** Of the second of two executions, so that caches are warm. */
async function planOf(pool: Pool, [name = "", ...words]: readonly string[]): Promise<string> {
  if (!/^\w+$/.test(name) || !existsSync(join(packageRoot, "db", "queries", `${name}.sql`))) {
    throw new CoreError("USAGE_INVALID", `there is no query ${name} in db/queries.`);
  }
  const leaf = words.find((word) => word.startsWith("leaf="))?.slice("leaf=".length);
  const values = words.filter((word) => !word.startsWith("leaf=")).map((word) => pg.escapeLiteral(word));
  const query = values.length === 0 ? "query" : `query(${values.join(", ")})`;
  await pool.query(`PREPARE query AS ${loadSql(name, leaf === undefined ? {} : { leaf })}`);
  try {
    await pool.query(`EXECUTE ${query}`);
    const { rows } = await pool.query<{ "QUERY PLAN": string }>(
      `EXPLAIN (ANALYZE, BUFFERS) EXECUTE ${query}`,
    );
    return rows.map((row) => row["QUERY PLAN"]).join("\n");
  } finally {
    await pool.query("DEALLOCATE query");
  }
}

/** What the plans were made on. */
async function database(pool: Pool): Promise<string> {
  const { rows } = await pool.query<{ text: string }>(
    `SELECT format('PostgreSQL %s, %s rows in %s months, %s with indexes; shared_buffers %s, work_mem %s, %s processes a query.',
                   current_setting('server_version'), to_char(sum(c.reltuples), 'FM999,999,999,999'), count(*),
                   pg_size_pretty(sum(pg_total_relation_size(c.oid))), current_setting('shared_buffers'),
                   current_setting('work_mem'), 1 + current_setting('max_parallel_workers_per_gather')::integer) AS text
     FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
     WHERE i.inhparent = 'payments.txn'::regclass`,
  );
  return rows[0]?.text ?? "";
}

const program = new Command("plans.sh")
  .description(
    "How PostgreSQL runs the queries of docs/plans.md: the page with its plans made anew, or one plan.",
  )
  .argument("[words...]", "NAME [leaf=TABLE] [PARAMETER]...: the plan of db/queries/NAME.sql alone")
  .option("--write", "put the plans into docs/plans.md")
  .addHelpText(
    "after",
    `
To renew the page:
  scripts/bootstrap.sh && eval "$(scripts/stack.sh env)"
  psql -c 'VACUUM (ANALYZE) txn, agg_merchant_day, agg_network_hour, account, merchant, terminal'
  scripts/plans.sh --write`,
  )
  .action(
    actionsOver(MODULES)()(async (context, words: string[], { write: renew }: { write?: true }) => {
      if (renew && words.length > 0) {
        throw new CoreError("USAGE_INVALID", "--write takes no arguments.");
      }
      // One connection: a prepared statement is its alone.
      const work = (pool: Pool) => (words.length > 0 ? planOf(pool, words) : page(pool));
      const text = await withDatabase(context, work, { max: 1 });
      if (renew) {
        writeFileSync(PAGE, text);
      } else if (words.length > 0) {
        print(text);
      } else {
        write(text);
      }
      return undefined;
    }),
  );
await runProgram(() => program);
