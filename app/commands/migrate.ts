import { Command } from "commander";
import { type ActionWrapper, type CommandContext, printResult } from "../../lib/cli/command.js";
import { formatTable } from "../../lib/cli/table.js";
import { EXIT } from "../../lib/errors.js";
import { type CatalogueChanges, catalogueChanges } from "../../lib/postgres/catalogue.js";
import { migrationStatus, verifySchema } from "../../lib/postgres/history.js";
import { migrateUp } from "../../lib/postgres/migrate.js";
import type { Pool } from "../../lib/postgres/pool.js";
import { withPool } from "../../lib/postgres/with_pool.js";

export function migrateCommand(action: ActionWrapper): Command {
  const migrate = new Command("migrate").description("bring the database's schema up to date, or look at it");
  const add = (name: string, description: string, work: AdminWork) =>
    migrate
      .command(name)
      .description(description)
      .action(
        action(async (context, _options: object) => {
          const as = { role: "admin", applicationName: "payments-migrate" } as const;
          return withPool(context.settings, as, (pool) => work(context, pool));
        }),
      );
  add("up", "apply what is pending", up);
  add("status", "list migrations and their state", status);
  add("verify", "compare the schema with what this code expects; exit 3 names what differs", verify);
  return migrate;
}

type AdminWork = (context: CommandContext, pool: Pool) => Promise<number>;

async function up(context: CommandContext, pool: Pool): Promise<number> {
  const migrations = await migrateUp(pool, context.modules);
  const applied = migrations.map(({ module, version, name }) => ({ module, version, name }));
  const lines = applied.map((each) => `applied ${each.module} ${fileOf(each)}`);
  printResult(context, { applied }, () => lines.join("\n") || "schema is up to date");
  return EXIT.ok;
}

async function status(context: CommandContext, pool: Pool): Promise<number> {
  const migrations = await migrationStatus(pool, context.modules);
  const rows = migrations.map((row) => [row.module, fileOf(row), row.state, row.appliedAt ?? ""]);
  printResult(context, { migrations }, () =>
    formatTable(["module", "migration", "state", "applied at"], rows),
  );
  return EXIT.ok;
}

async function verify(context: CommandContext, pool: Pool): Promise<number> {
  await verifySchema(pool, context.modules);
  const changes = await catalogueChanges(pool);
  const ok = changes.differences.length === 0;
  printResult(context, { ok, ...changes }, () => describeChanges(changes));
  return ok ? EXIT.ok : EXIT.mismatch;
}

function describeChanges({ differences, additions }: CatalogueChanges): string {
  const verdict =
    differences.length === 0 ? "schema is as expected" : `SCHEMA_DRIFT: ${differences.length} difference(s)`;
  return [...differences, ...additions.map((addition) => `harmless: ${addition}`), verdict].join("\n");
}

function fileOf({ version, name }: { version: number; name: string }): string {
  return `V${String(version).padStart(4, "0")} ${name}`;
}
