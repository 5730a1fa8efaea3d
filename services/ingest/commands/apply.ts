import { Command } from "commander";
import { type ActionWrapper, printResult } from "../../../lib/cli/command.js";
import { formatCount, formatTable } from "../../../lib/cli/table.js";
import type { Pool } from "../../../lib/postgres/pool.js";
import type { Settings } from "../../../lib/settings/base.js";
import type { Change } from "../changes.js";
import type { Normaliser } from "../normaliser.js";
import { foresee, renormalise } from "../renormalise.js";
import type { IngestSettings } from "../settings.js";
import { nextBodies } from "../store/stored_event.js";
import { withLearning } from "./with_learning.js";

const BATCH = 500;
const FIRST = "00000000-0000-0000-0000-000000000000";

/** How many events change, by what of them does. */
interface Tally {
  readonly provider: string;
  readonly from: string;
  readonly to: string;
  events: number;
}

interface Applied {
  readonly bodies: number;
  readonly changed: number;
  readonly by: readonly Tally[];
}

/** `payments rules apply`: has all bodies understood once more, by what is known now; no model is asked. */
export function applyCommand(action: ActionWrapper<Settings & IngestSettings>): Command {
  return new Command("apply")
    .description("understand all stored bodies once more, by the rules, learned mappings and rates of now")
    .option("--dry-run", "count what would change, and change nothing")
    .action(
      action(async (context, { dryRun = false }: { dryRun?: boolean }) => {
        const applied = await withLearning(context, "apply", (pool, { known }) =>
          applyAll(pool, known, { dryRun, stopping: context.interruption() }),
        );
        printResult(context, { dry_run: dryRun, ...applied }, () => textOf(applied, dryRun));
        return undefined;
      }),
    );
}

/** @param stopping ends it after the batch at hand: what is done is done, and called again it does the rest */
export async function applyAll(
  pool: Pool,
  normaliser: Normaliser,
  { dryRun, stopping }: { readonly dryRun: boolean; readonly stopping?: AbortSignal },
): Promise<Applied> {
  const tallies = new Map<string, Tally>();
  let bodies = 0;
  for (let after: string | undefined = FIRST; after !== undefined && stopping?.aborted !== true; ) {
    const ids = await nextBodies(pool, after, BATCH);
    const changes = dryRun
      ? await foresee(pool, normaliser, ids)
      : await renormalise(pool, normaliser, ids, "rules apply");
    for (const change of changes) {
      add(tallies, change);
    }
    bodies += ids.length;
    after = ids.at(-1);
  }
  const by = [...tallies.values()].sort((a, b) => b.events - a.events);
  return { bodies, changed: by.reduce((sum, { events }) => sum + events, 0), by };
}

function add(tallies: Map<string, Tally>, { before, after }: Change): void {
  const [provider, from, to] = [after.provider ?? "", before?.status ?? "", after.status];
  const name = `${provider} ${from} ${to}`;
  const tally = tallies.get(name) ?? { provider, from, to, events: 0 };
  tally.events += 1;
  tallies.set(name, tally);
}

function textOf({ bodies, changed, by }: Applied, dryRun: boolean): string {
  const summary = `${formatCount(bodies)} bodies, ${formatCount(changed)} events ${dryRun ? "would change" : "changed"}`;
  const rows = by.map(({ provider, from, to, events }) => [
    provider || "(none)",
    from || "(new)",
    from === to ? "other fields" : to,
    formatCount(events),
  ]);
  return by.length === 0
    ? summary
    : `${formatTable(["provider", "from", "to", "events"], rows)}\n\n${summary}`;
}
