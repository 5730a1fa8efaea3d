import { Command, InvalidArgumentError } from "commander";
import { brokerOptions, withPublisher } from "../../lib/cli/broker.js";
import { type ActionWrapper, print, printJson, reportError, withDatabase } from "../../lib/cli/command.js";
import { formatTable } from "../../lib/cli/table.js";
import { EXIT } from "../../lib/errors.js";
import { keepResult } from "../../lib/postgres/audit_result.js";
import type { Module } from "../../lib/runtime/module.js";
import { type Audit, audit } from "../audit.js";
import { questions } from "../mend.js";
import type { AllSettings } from "../settings.js";

/** More tell nothing new to a person; --json has all. */
const SHOWN = 50;

interface Options {
  readonly quiesced?: boolean;
  readonly traffic?: number;
  readonly mend?: boolean;
}

export function auditCommand(action: ActionWrapper, modules: readonly Module[]): Command {
  return new Command("audit")
    .description("prove that the services' books agree; exit 3 names what differs, 4 which could not be read")
    .option("--quiesced", "nothing is in flight: allow nothing to wait")
    .option("--traffic <id>", "also what this run of payments traffic must have come to", readId)
    .option("--mend", "ask the wallet again about payments on which it and payments disagree")
    .action(
      action(async (context, { quiesced = false, traffic: trafficId, mend = false }: Options) => {
        const { settings } = context;
        const { AUDIT_GRACE_S, PAYMENTS_GIVE_UP_S } = settings as AllSettings;
        const graceS = quiesced ? 0 : AUDIT_GRACE_S;
        const options = { graceS, giveUpS: PAYMENTS_GIVE_UP_S, trafficId, settings };
        const { differences, unread, asking } = await withDatabase(context, async (pool) => {
          const found = await audit(pool, modules, options);
          const count = found.differences.length;
          // A run's answer key is no book of the services; and what finds nothing in some of the books proves nothing.
          if (trafficId === undefined && (count > 0 || found.unread.length === 0)) {
            await keepResult(pool, { differences: count, quiesced });
          }
          return { ...found, asking: mend ? await questions(pool, found.differences) : [] };
        });
        if (asking.length > 0) {
          const families = modules.flatMap(({ queues }) => queues);
          await withPublisher(brokerOptions(context), families, (publisher) => publisher.publishAll(asking));
        }
        for (const { error } of unread) {
          reportError(error, context);
        }
        if (context.json) {
          const books = unread.map(({ module, error: { code } }) => ({ module, code }));
          printJson({ differences, unread: books, ...(mend ? { asked: asking.length } : {}) });
        } else {
          print(report({ differences, unread }));
        }
        if (asking.length > 0 && !context.json) {
          print(
            `the wallet is asked again about ${asking.length} ${asking.length === 1 ? "payment" : "payments"}: audit again in a minute`,
          );
        }
        return differences.length > 0 ? EXIT.mismatch : (unread[0]?.error.exitCode ?? EXIT.ok);
      }),
    );
}

function readId(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) {
    throw new InvalidArgumentError("It takes the number that payments traffic printed.");
  }
  return Number(text);
}

function report({ differences, unread }: Audit): string {
  if (differences.length === 0) {
    const without = unread.map(({ module }) => `but for what ${module} could not read`);
    return ["audited: the books agree", ...without].join(", ");
  }
  const shown = differences
    .slice(0, SHOWN)
    .map(({ module, what, expected, found }) => [module, what, expected, found]);
  const more = differences.length > SHOWN ? [`and ${differences.length - SHOWN} more; --json has all`] : [];
  return [formatTable(["module", "what", "expected", "found"], shown), ...more].join("\n");
}
