import type { Pool } from "../../lib/postgres/pool.js";
import { eventually } from "../harness/eventually.js";
import type { Check } from "./rig.js";
import type { Stack } from "./stack.js";

/** Where a rig keeps what was published, if it does. */
export const RECORD = "chaos.record";
/** The longest rung of the longest retry ladder, and some. */
const QUEUES_EMPTY_MS = 150_000;
/** A backend whose client died between two statements notices at once, in a statement at its end. */
const BACKENDS_GONE_MS = 30_000;

/** With the processes still running: a message in the ladder comes back by itself. */
export async function checkQueues(stack: Stack, when = ""): Promise<Check> {
  const left = await emptied(QUEUES_EMPTY_MS, async () =>
    [...(await stack.queueDepths())]
      .filter(([name, messages]) => !name.endsWith(".dlq") && name !== RECORD && messages > 0)
      .map(([name, messages]) => `${name} holds ${messages}`),
  );
  return { name: `work queues and retry ladders are empty${when}`, complaints: left };
}

/** After the processes have stopped. @param sql gives a column `what`, a row for each thing that is left */
export async function checkLeftovers(pool: Pool, name: string, sql: string): Promise<Check> {
  const left = await emptied(BACKENDS_GONE_MS, async () => {
    const { rows } = await pool.query<{ what: string }>(sql);
    return rows.map(({ what }) => what);
  });
  return { name, complaints: left };
}

/** Asks until the list is empty, or for so long. @returns what was in it at last. */
export async function emptied(
  withinMs: number,
  ask: () => Promise<readonly string[]>,
): Promise<readonly string[]> {
  let left: readonly string[] = [];
  const empty = async () => {
    left = await ask();
    return left.length === 0;
  };
  await eventually("nothing left", empty, { withinMs, everyMs: 500 }).catch(() => undefined);
  return left;
}
