import type { DeadLetter } from "../../lib/broker/dead_letter.js";
import type { DeadLetters } from "../../lib/broker/dead_letters.js";
import type { QueueFamily } from "../../lib/broker/topology.js";
import type { CommandContext } from "../../lib/cli/command.js";
import { foretell } from "../../lib/dead_letters/foretell.js";
import type { Selection } from "../../lib/dead_letters/selection.js";
import type { Forecast } from "../../lib/messaging/forecast.js";
import { createServicePool } from "../../lib/postgres/service_pool.js";
import type { Module } from "../../lib/runtime/module.js";
import { listLetters } from "./dlq_list.js";

/** Tells of each letter what would come of it; undefined: its module cannot. */
export type Foretell = ((letters: readonly DeadLetter[]) => Promise<readonly Forecast[]>) | undefined;

interface Letters {
  readonly owner: Module;
  readonly families: readonly QueueFamily[];
}

/** Lists the letters of a replay, and where their module can tell what would come of each; changes nothing. */
export const foretellLetters = (
  context: CommandContext,
  letters: DeadLetters,
  selection: Selection,
  of: Letters,
): Promise<undefined> =>
  withForetell(context, of, (each) =>
    listLetters(context, letters, selection, {
      verdict: "would be replayed",
      ...(each === undefined ? {} : { foretell: each }),
    }),
  );

/** Runs `work` with what tells of letters what would come of them. */
export async function withForetell<T>(
  context: Pick<CommandContext, "settings">,
  { owner, families }: Letters,
  work: (foretell: Foretell) => Promise<T>,
): Promise<T> {
  const { forecasters } = owner;
  if (forecasters.length === 0) {
    return work(undefined);
  }
  // Connects when it is asked: a module without tables asks nothing.
  const [schema = owner.name] = owner.schemas;
  const db = createServicePool(context.settings, {
    role: `payments_${schema}`,
    schema,
    max: 1,
    applicationName: "payments dlq",
    readOnly: true,
  });
  try {
    return await work((letters) => foretell(letters, { db, families, forecasters }));
  } finally {
    await db.end();
  }
}
