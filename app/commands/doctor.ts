import { Command } from "commander";
import { type ActionWrapper, printResult } from "../../lib/cli/command.js";
import { formatTable } from "../../lib/cli/table.js";
import { EXIT, messageOf, PlatformError } from "../../lib/errors.js";
import { addressOf } from "../../lib/postgres/pool.js";
import { explain, type Target } from "../../lib/postgres/refusal.js";
import { leastNode } from "../../lib/root.js";
import type { Module } from "../../lib/runtime/module.js";
import { brokerChecks } from "./doctor/broker.js";
import type { Check } from "./doctor/check.js";
import { databaseChecks } from "./doctor/database.js";

export function doctorCommand(action: ActionWrapper, modules: readonly Module[]): Command {
  return new Command("doctor")
    .description(
      "check versions, servers, rights, disk, schema, seed, alarms, workers and dead letters; exit 1 when something will not work",
    )
    .action(
      action(async (context, _options: object) => {
        const { settings } = context;
        const broker = brokerChecks(
          context,
          modules.flatMap(({ queues }) => queues),
        );
        const checks: Check[] = [["node", node], ...databaseChecks(settings), ...broker.checks];
        const findings: Finding[] = [];
        try {
          for (const check of checks) {
            findings.push(await examine(check, addressOf(settings)));
          }
        } finally {
          await broker.close();
        }
        const ok = findings.every((finding) => finding.ok);
        printResult(context, { ok, findings }, () =>
          formatTable(
            ["check", "", "finding"],
            findings.map((f) => [f.what, f.ok ? "ok" : "FAIL", f.note]),
          ),
        );
        return ok ? EXIT.ok : EXIT.failed;
      }),
    );
}

interface Finding {
  readonly what: string;
  readonly ok: boolean;
  readonly note: string;
}

/** @param target the database that an SQLSTATE is about. */
async function examine([what, run]: Check, target: Target): Promise<Finding> {
  try {
    return { what, ok: true, note: await run() };
  } catch (error) {
    const known = error instanceof PlatformError ? error : explain(error, target);
    return { what, ok: false, note: known === undefined ? messageOf(error) : String(known) };
  }
}

async function node(): Promise<string> {
  if (process.versions.node.localeCompare(leastNode(), "en", { numeric: true }) < 0) {
    throw new Error(`${process.version}: at least ${leastNode()} is needed`);
  }
  return process.version;
}
