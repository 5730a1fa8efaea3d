import { statfs } from "node:fs/promises";
import { Command } from "commander";
import { EXIT, messageOf, PlatformError } from "../../lib/errors.js";
import { verifySchema } from "../../lib/postgres/migrate.js";
import { connect, createPool, type Pool } from "../../lib/postgres/pool.js";
import type { Settings } from "../../lib/settings/settings.js";
import { requireSeed } from "../seed/state.js";
import { checkCatalogue } from "./catalogue_check.js";
import { type CommandContext, command, print, printJson } from "./common.js";
import { withBroker } from "./send.js";
import { formatTable } from "./table.js";

const LEAST_NODE = [20, 19] as const;
const LEAST_POSTGRES = 150_000;
/** A million rows take about 0.4 GB with indexes and WAL. */
const LEAST_FREE_GB = 5;

interface Finding {
  readonly what: string;
  readonly ok: boolean;
  readonly note: string;
}

type Check = readonly [what: string, run: () => Promise<string>];

export function doctorCommand(): Command {
  return new Command("doctor")
    .description(
      "check versions, servers, rights, schema, seed and disk; exit 1 when something will not work",
    )
    .action(
      command(async (context, _options: object) => {
        const findings: Finding[] = [];
        for (const [what, run] of [
          ...localChecks(),
          ...databaseChecks(context.settings),
          ...brokerChecks(context),
        ]) {
          findings.push(await examine(what, run));
        }
        const ok = findings.every((finding) => finding.ok);
        if (context.json) printJson({ ok, findings });
        else
          print(
            formatTable(
              ["check", "", "finding"],
              findings.map((f) => [f.what, f.ok ? "ok" : "FAIL", f.note]),
            ),
          );
        return ok ? EXIT.ok : EXIT.failed;
      }),
    );
}

async function examine(what: string, run: () => Promise<string>): Promise<Finding> {
  try {
    return { what, ok: true, note: await run() };
  } catch (error) {
    return { what, ok: false, note: error instanceof PlatformError ? String(error) : messageOf(error) };
  }
}

function localChecks(): Check[] {
  return [
    [
      "node",
      async () => {
        const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
        const [leastMajor, leastMinor] = LEAST_NODE;
        const ok = major > leastMajor || (major === leastMajor && minor >= leastMinor);
        if (!ok) throw new Error(`${process.version}: at least ${LEAST_NODE.join(".")} is needed`);
        return process.version;
      },
    ],
    [
      "disk",
      async () => {
        const { bavail, bsize } = await statfs(".");
        const freeGb = Math.floor((bavail * bsize) / 1e9);
        if (freeGb < LEAST_FREE_GB)
          throw new Error(`${freeGb} GB free here: at least ${LEAST_FREE_GB} GB are needed`);
        return `${freeGb} GB free`;
      },
    ],
  ];
}

function databaseChecks(settings: Settings): Check[] {
  const ask = async <T>(work: (pool: Pool) => Promise<T>): Promise<T> => {
    const pool = createPool(settings, { max: 1, applicationName: "payments-doctor" });
    try {
      (await connect(pool)).release();
      return await work(pool);
    } finally {
      await pool.end();
    }
  };
  return [
    [
      "postgres",
      () =>
        ask(async (pool) => {
          const { rows } = await pool.query<{ version: string; number: number }>(
            "SELECT current_setting('server_version') AS version, current_setting('server_version_num')::integer AS number",
          );
          const { version = "?", number = 0 } = rows[0] ?? {};
          if (number < LEAST_POSTGRES) throw new Error(`${version}: at least 15 is needed`);
          return `${version} at ${settings.POSTGRES_HOST}:${settings.POSTGRES_PORT}`;
        }),
    ],
    [
      "role",
      () =>
        ask(async (pool) => {
          const { rows } = await pool.query("SELECT FROM pg_roles WHERE rolname = current_user AND rolsuper");
          if (rows.length > 0)
            throw new Error(`${settings.POSTGRES_USER} is a superuser: use payments_loader`);
          return `${settings.POSTGRES_USER}, no superuser`;
        }),
    ],
    ["schema", () => ask((pool) => verifySchema(pool).then(() => checkCatalogue(pool)))],
    ["seed", () => ask(requireSeed).then(() => "dimensions are there")],
  ];
}

function brokerChecks(context: CommandContext): Check[] {
  const { RABBITMQ_HOST: host, RABBITMQ_PORT: port } = context.settings;
  return [["rabbitmq", () => withBroker(context, async () => `at ${host}:${port}, queues declared`)]];
}
