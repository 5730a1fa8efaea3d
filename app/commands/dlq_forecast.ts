import type { DeadLetters } from "../../lib/broker/dead_letters.js";
import type { QueueFamily } from "../../lib/broker/topology.js";
import type { CommandContext } from "../../lib/cli/command.js";
import { foretell } from "../../lib/dead_letters/foretell.js";
import type { Selection } from "../../lib/dead_letters/selection.js";
import { createServicePool } from "../../lib/postgres/service_pool.js";
import type { Module } from "../../lib/runtime/module.js";
import { listLetters } from "./dlq_list.js";

/** Lists the letters of a replay, and where their module can tell what would come of each; changes nothing. */
export async function foretellLetters(
  context: CommandContext,
  letters: DeadLetters,
  selection: Selection,
  { owner, families }: { readonly owner: Module; readonly families: readonly QueueFamily[] },
): Promise<undefined> {
  const verdict = "would be replayed";
  const { forecasters } = owner;
  if (forecasters.length === 0) {
    return listLetters(context, letters, selection, { verdict });
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
    return await listLetters(context, letters, selection, {
      verdict,
      foretell: (window) => foretell(window, { db, families, forecasters }),
    });
  } finally {
    await db.end();
  }
}
