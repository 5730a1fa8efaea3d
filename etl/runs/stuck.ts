import { formatSeconds } from "../../lib/cli/table.js";
import type { Failure } from "../ledger/failure.js";
import type { RunStatus } from "./status.js";

/** So long without a chunk or a month done means that nobody is working, or that a message got lost. */
export const STALLED_S = 600;

/** Why a run does not go on, and what to do about it. */
export interface Stuck {
  readonly why: string;
  readonly todo: string;
}

/** @returns undefined for a run that goes on, as far as the ledger knows. */
export function stuck(run: RunStatus): Stuck | undefined {
  const [first] = run.failures;
  if (first !== undefined) {
    const others = run.failures.length > 1 ? ` (and ${run.failures.length - 1} more)` : "";
    return { why: `${run.run} does not go on: ${describe(first)}${others}`, todo: remedy(run) };
  }
  if (run.idleS < STALLED_S) {
    return undefined;
  }
  return {
    why: `${run.run}: nothing has moved for ${formatSeconds(run.idleS)}.`,
    todo: `Is a worker running: payments doctor. Is a message dead: payments dlq list. Then: payments resume ${run.run}.`,
  };
}

function describe({ step, chunk, month, attempts, code, reason }: Failure): string {
  const what = chunk === null ? (month?.slice(0, 7) ?? "its months") : `chunk ${chunk}`;
  const tries = attempts === 1 ? "" : ` after ${attempts} attempts`;
  return `${step} of ${what} failed${tries}: ${code}: ${reason.replace(/\.?$/, ".")}`;
}

function remedy({ run, failures }: RunStatus): string {
  const id = failures.length === 1 ? failures[0]?.messageId : undefined;
  const [look, replay] = id ? [`show ${id}`, id] : ["list", "--all"];
  return `See: payments dlq ${look}. When its cause is mended: payments dlq replay ${replay}, or payments resume ${run}.`;
}
