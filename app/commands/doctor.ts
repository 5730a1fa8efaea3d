import { Command } from "commander";
import { type ActionWrapper, printResult } from "../../lib/cli/command.js";
import { formatTable } from "../../lib/cli/table.js";
import { EXIT } from "../../lib/errors.js";
import { addressOf } from "../../lib/postgres/pool.js";
import { leastNode } from "../../lib/root.js";
import { brokerChecks } from "./doctor/broker.js";
import { type Check, examine, type Finding } from "./doctor/check.js";
import { databaseChecks } from "./doctor/database.js";

export function doctorCommand(action: ActionWrapper): Command {
  return new Command("doctor")
    .description(
      "check versions, servers, rights, disk, schema, seed, alarms, workers and dead letters; exit 1 when something will not work",
    )
    .action(
      action(async (context, _options: object) => {
        const { settings } = context;
        const broker = brokerChecks(context);
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

async function node(): Promise<string> {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const [leastMajor = 0, leastMinor = 0] = leastNode().split(".").map(Number);
  const ok = major > leastMajor || (major === leastMajor && minor >= leastMinor);
  if (!ok) {
    throw new Error(`${process.version}: at least ${leastNode()} is needed`);
  }
  return process.version;
}
