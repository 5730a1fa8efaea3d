import { Command, InvalidArgumentError } from "commander";
import { z } from "zod";
import { type ActionWrapper, print, printJson } from "../../lib/cli/command.js";
import { formatCount, formatTable } from "../../lib/cli/table.js";
import { EXIT } from "../../lib/errors.js";
import type { Account } from "../monitor/account.js";
import { compareWindows } from "../monitor/compare.js";
import type { AllSettings } from "../settings.js";

/** More tell nothing new to a person; --json has all. */
const SHOWN = 20;

export function monitorCommand(action: ActionWrapper): Command {
  const monitor = new Command("monitor").description("windows of reports, and what became of them");
  monitor
    .command("compare")
    .description("prove that reporters and monitor say the same of each window; exit 3 names what differs")
    .argument("[window]", "a window's window_uuid; without it all of 28 days", readUuid)
    .action(
      action(async (context, windowUuid: string | undefined, _options: object) => {
        const { AUDIT_GRACE_S: graceS } = context.settings as AllSettings;
        const accounts = await compareWindows(context, { windowUuid, graceS });
        if (context.json) {
          printJson({ windows: accounts });
        } else {
          print(report(accounts));
        }
        return accounts.every(({ differences }) => differences.length === 0) ? EXIT.ok : EXIT.mismatch;
      }),
    );
  return monitor;
}

function readUuid(text: string): string {
  const read = z.uuid().toLowerCase().safeParse(text);
  if (!read.success) {
    throw new InvalidArgumentError("It takes the window_uuid of a window.");
  }
  return read.data;
}

const COUNTS = [
  "expected",
  "sent",
  "omitted",
  "stalled",
  "unknown",
  "received",
  "late",
  "deadLettered",
  "inFlight",
  "missing",
] as const satisfies readonly (keyof Account)[];
const TITLES = [...COUNTS.slice(0, 7), "dead-lettered", "in flight", "missing"];

function report(accounts: readonly Account[]): string {
  const differing = accounts.filter(({ differences }) => differences.length > 0);
  const differences = differing.reduce((sum, each) => sum + each.differences.length, 0);
  const shown = (differing.length > 0 ? differing : accounts.slice(-SHOWN)).slice(0, SHOWN);
  const sum = COUNTS.map((count) => accounts.reduce((total, account) => total + account[count], 0));
  return [
    formatTable(
      ["window", "service", "state", ...TITLES],
      [
        ...shown.map((each) => [
          each.windowUuid,
          each.service,
          each.state ?? "not known",
          ...COUNTS.map((count) => each[count]),
        ]),
        [`all ${formatCount(accounts.length)}`, "", "", ...sum],
      ],
    ),
    ...shown.flatMap(({ windowUuid, differences: found }) =>
      found.map((each) => `window ${windowUuid}: ${each}`),
    ),
    `differences: ${differences}`,
  ].join("\n");
}
