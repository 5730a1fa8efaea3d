import { type Retention, serviceRetention } from "../../lib/runtime/retention.js";

export const REPORTER_RETENTION: readonly Retention[] = [
  {
    table: "reporter.tick",
    keep: { days: 30, since: "created_at" },
    why: "Nobody compares windows of last month.",
  },
  {
    table: "reporter.report_window",
    keep: { days: 90, since: "created_at" },
    why: "What its ticks were to be.",
  },
  {
    table: "reporter.process",
    keep: { days: 1, since: "leased_until" },
    why: "A row a process, which has ended.",
  },
  ...serviceRetention("reporter"),
];
