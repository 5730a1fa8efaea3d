import type { Report } from "../contracts/report.js";
import { expectedOf } from "./domain/schedule.js";
import type { ReportWindow, Tick } from "./domain/window.js";

/** What is told of a tick. @param elapsedMs since the window was opened, by a clock that nobody sets */
export function reportOf(window: ReportWindow, { seq, status, at }: Tick, elapsedMs: number): Report {
  const { windowFrom, durationMs } = window;
  const isOk = status === "ok";
  return {
    window_uuid: window.windowUuid,
    service: window.service,
    seq,
    status: isOk ? "ok" : "error",
    ...(isOk ? {} : { error_message: status.replace(/^error: /, "") }),
    report_timestamp: at.toISOString(),
    window_from: windowFrom.toISOString(),
    window_to: new Date(windowFrom.getTime() + durationMs).toISOString(),
    interval_ms: window.intervalMs,
    expected_reports: expectedOf(window),
    remaining_ms: Math.max(0, Math.round(durationMs - elapsedMs)),
  };
}
