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
  migrate
    .command("up")
    .description("apply what is pending")
    .action(
      action(async (context, _options: object) =>
        withAdmin(context, async (pool) => {
          const applied = (await migrateUp(pool, context.modules)).map(({ module, version, name }) => ({
            module,
            version,
            name,
          }));
          const lines = applied.map((each) => `applied ${each.module} ${fileOf(each)}`);
          printResult(context, { applied }, () => lines.join("\n") || "schema is up to date");
          return EXIT.ok;
        }),
      ),
    );
  migrate
    .command("status")
    .description("list migrations and their state")
    .action(
      action(async (context, _options: object) =>
        withAdmin(context, async (pool) => {
          const status = await migrationStatus(pool, context.modules);
          const rows = status.map((row) => [row.module, fileOf(row), row.state, row.appliedAt ?? ""]);
          printResult(context, { migrations: status }, () =>
            formatTable(["module", "migration", "state", "applied at"], rows),
          );
          return EXIT.ok;
        }),
      ),
    );
  migrate
    .command("verify")
    .description("compare the schema with what this code expects; exit 3 names what differs")
    .action(
      action(async (context, _options: object) =>
        withAdmin(context, async (pool) => {
          await verifySchema(pool, context.modules);
          const changes = await catalogueChanges(pool);
          const ok = changes.differences.length === 0;
          printResult(context, { ok, ...changes }, () => describeChanges(changes));
          return ok ? EXIT.ok : EXIT.mismatch;
        }),
      ),
    );
  return migrate;
}

function withAdmin(context: CommandContext, work: (pool: Pool) => Promise<number>): Promise<number> {
  return withPool(context.settings, { role: "admin", applicationName: "payments-migrate" }, work);
}

function describeChanges({ differences, additions }: CatalogueChanges): string {
  const verdict =
    differences.length === 0 ? "schema is as expected" : `SCHEMA_DRIFT: ${differences.length} difference(s)`;
  return [...differences, ...additions.map((addition) => `harmless: ${addition}`), verdict].join("\n");
}

function fileOf({ version, name }: { version: number; name: string }): string {
  return `V${String(version).padStart(4, "0")} ${name}`;
}
