import { Command } from "commander";
import { EXIT } from "../../lib/errors.js";
import { migrateUp, migrationStatus, verifySchema } from "../../lib/postgres/migrate.js";
import { connect, createPool, type Pool } from "../../lib/postgres/pool.js";
import { type CommandContext, command, print, printJson } from "./common.js";
import { formatTable } from "./table.js";

export function migrateCommand(): Command {
  const migrate = new Command("migrate").description("bring the database's schema up to date, or look at it");
  migrate
    .command("up")
    .description("apply what is pending")
    .action(
      command(async (context, _options: object) =>
        withAdmin(context, async (pool) => {
          const applied = (await migrateUp(pool)).map(({ version, name }) => ({ version, name }));
          if (context.json) printJson({ applied });
          else
            print(
              applied.length === 0
                ? "schema is up to date"
                : applied.map((m) => `applied ${label(m)}`).join("\n"),
            );
          return EXIT.ok;
        }),
      ),
    );
  migrate
    .command("status")
    .description("list migrations and their state")
    .action(
      command(async (context, _options: object) =>
        withAdmin(context, async (pool) => {
          const status = await migrationStatus(pool);
          if (context.json) printJson({ migrations: status });
          else {
            const rows = status.map((row) => [label(row), row.state, row.appliedAt ?? ""]);
            print(formatTable(["migration", "state", "applied at"], rows));
          }
          return EXIT.ok;
        }),
      ),
    );
  migrate
    .command("verify")
    .description("exit 0 when the schema is just what this code expects")
    .action(
      command(async (context, _options: object) =>
        withAdmin(context, async (pool) => {
          await verifySchema(pool);
          if (context.json) printJson({ ok: true });
          else print("schema is as expected");
          return EXIT.ok;
        }),
      ),
    );
  return migrate;
}

async function withAdmin(context: CommandContext, work: (pool: Pool) => Promise<number>): Promise<number> {
  const pool = createPool(context.settings, { role: "admin", max: 1, applicationName: "payments-migrate" });
  try {
    (await connect(pool)).release();
    return await work(pool);
  } finally {
    await pool.end();
  }
}

function label(migration: { version: number; name: string }): string {
  return `V${String(migration.version).padStart(4, "0")} ${migration.name}`;
}
