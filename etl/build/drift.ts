import { codeOf, messageOf } from "../../lib/errors.js";
import { EtlError } from "../errors.js";

/** A table cannot be attached: it has not the columns and constraints of txn. */
const UNLIKE_TXN: ReadonlySet<string> = new Set(["42804", "42P16"]);

/**
 * Does work on a run's build. A run keeps the columns that txn had when it was planned, so a change to txn by hand may end it.
 *
 * @throws PlatformError LEAF_CHANGED naming the column or constraint
 */
export async function ofRun<T>(runId: string, work: () => Promise<T>): Promise<T> {
  return namingDrift(work, (unlikeTxn) => {
    const undo = unlikeTxn ? "" : "Undo it (payments migrate verify names it). ";
    return `${undo}The run keeps what txn was when it was planned: payments cancel ${runId}, then start another.`;
  });
}

/**
 * Does the work of heal, whose tables are made like txn as it is now.
 *
 * @throws PlatformError LEAF_CHANGED naming the column or constraint
 */
export async function ofHeal<T>(work: () => Promise<T>): Promise<T> {
  return namingDrift(work, () => "Undo it (payments migrate verify names it), then heal again.");
}

async function namingDrift<T>(work: () => Promise<T>, hint: (unlikeTxn: boolean) => string): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const unlikeTxn = UNLIKE_TXN.has(codeOf(error) ?? "");
    if (!(unlikeTxn || refusesRow(error))) {
      throw error;
    }
    const what = `txn was changed by hand: ${messageOf(error)}.`;
    throw new EtlError("LEAF_CHANGED", what, { hint: hint(unlikeTxn), cause: error });
  }
}

/** No value for a NOT NULL column, a CHECK that a row does not meet, a default from a sequence that the loader may not use. */
function refusesRow(error: unknown): boolean {
  const { constraint, message } = error as { constraint?: string; message?: string };
  switch (codeOf(error)) {
    case "23502":
      return true;
    case "23514":
      // A partition's bound has no name: that is a row of another month.
      return constraint !== undefined;
    case "42501":
      return /sequence|function/.test(message ?? "");
    default:
      return false;
  }
}
