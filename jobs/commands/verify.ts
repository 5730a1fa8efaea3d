import { Command, Option } from "commander";
import { drill } from "../backup/drill.js";
import { describeMismatch } from "../backup/restore_into.js";
import { type BackupAction, type BackupContext, listAndWarn, seconds, show } from "./command.js";

interface Options {
  readonly backup?: string;
  readonly cluster?: true;
}

export function verifyCommand(action: BackupAction): Command {
  return new Command("verify")
    .description("restore a dump into a scratch database, compare it with its manifest, and drop it")
    .addOption(new Option("--backup <id>", "this one").conflicts("latest"))
    .option("--latest", "the newest (the default)")
    .option("--cluster", "into a server of its own, made from nothing with the backup's roles")
    .addHelpText(
      "after",
      "\nExit status: 0 verified, 1 could not verify, 2 usage, 3 something of the platform's own differs, and what.",
    )
    .action(action((context, options: Options) => verify(context, options)));
}

async function verify(context: BackupContext, { backup: id, cluster }: Options): Promise<undefined> {
  const { settings, logger, interruption } = context;
  if (id === undefined) {
    await listAndWarn(context);
  }
  const place = cluster ? "cluster" : "database";
  const result = await drill(settings, logger, { id, place, signal: interruption() });
  const { backup, restoreMs, verifyMs, named, notMarked } = result;
  const but = named.length === 0 ? "" : `, but for ${named.length} of what is not the platform's own`;
  const lines = [
    `verified: ${backup} restores to what its manifest says${but}; restore ${seconds(restoreMs ?? 0)}, checks ${seconds(verifyMs ?? 0)}`,
    ...named.map((mismatch) => `not as it was: ${describeMismatch(mismatch)}`),
  ];
  if (notMarked !== null) {
    lines.push(`no mark was written, so ${backup} is not listed as verified: ${notMarked}`);
  }
  show(context, result, lines);
}
