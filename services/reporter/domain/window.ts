import type { Rates, Schedule } from "./schedule.js";

export interface ReportWindow extends Rates, Schedule {
  readonly windowUuid: string;
  readonly service: string;
  /** By this process's own clock; said, never decided by. */
  readonly windowFrom: Date;
}

/** What became of a tick. stalled: its process lived and came too late. unknown: its process was dead. */
export type Outcome = "sending" | "sent" | "omitted" | "stalled" | "unknown";

export interface Tick {
  readonly windowUuid: string;
  /** 0: the window was opened. */
  readonly seq: number;
  /** `ok` or `error: …`. */
  readonly status: string;
  readonly outcome: Outcome;
  readonly at: Date;
}

/** The status of a tick that nobody was there for, by its outcome. */
export const WHY = {
  stalled: "error: stalled, it came too late",
  unknown: "error: unknown, its process was dead",
};
