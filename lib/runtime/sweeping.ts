import { codeOf } from "../errors.js";
import type { Logger } from "../observability/log.js";
import { pause } from "../timing.js";
import type { Part } from "./lifecycle.js";

const SWEEP_EVERY_MS = 1_000;

export interface Sweep {
  /** For log lines, e.g. `overdue payments`. */
  readonly of: string;
  /** How many it takes in hand at a time; when there were as many, more may be left. */
  readonly batch: number;
  /** Any number of processes may sweep at once. @returns how many it took in hand */
  readonly sweep: () => Promise<number>;
}

/** Looks every second for what a process left behind or nobody answers, and after a full batch at once. */
export function sweeping({ of, batch, sweep }: Sweep, logger: Logger): Part {
  const stopping = new AbortController();
  const { signal } = stopping;
  let loop: Promise<void> | undefined;
  const sweepOn = async () => {
    while (!signal.aborted) {
      const taken = await sweep().catch((error: unknown) => {
        logger.debug({ code: codeOf(error) }, `not swept: ${of}`);
        return 0;
      });
      if (taken < batch) {
        await pause(SWEEP_EVERY_MS, signal);
      }
    }
  };
  return {
    name: `sweeper of ${of}`,
    start: async () => {
      loop ??= sweepOn();
    },
    stop: async () => {
      stopping.abort();
      await loop;
    },
  };
}
