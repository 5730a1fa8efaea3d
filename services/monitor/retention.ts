import { type Retention, serviceRetention } from "../../lib/runtime/retention.js";

/** Windows outlive their reports by two months, so that what was decided is known for a quarter. */
export const MONITOR_RETENTION: readonly Retention[] = [
  {
    table: "monitor.report",
    keep: { days: 30, since: "created_at" },
    why: "Nobody compares windows of last month.",
  },
  {
    table: "monitor.conflict",
    keep: { days: 30, since: "created_at" },
    why: "Evidence for whoever looks into it.",
  },
  { table: "monitor.flip", keep: { days: 30, since: "created_at" }, why: "What was told of windows." },
  { table: "monitor.report_window", keep: { days: 90, since: "created_at" }, why: "What windows came to." },
  { table: "monitor.marker", keep: { days: 1, since: "sent_at" }, why: "Of no use once it is back." },
  {
    table: "monitor.holder",
    keep: { days: 1, since: "said_at" },
    why: "A row a process, which has ended.",
  },
  { table: "monitor.hearing", keep: "for ever", why: "One row." },
  { table: "monitor.transition", keep: "for ever", why: "The rules, not data." },
  {
    table: "monitor.webhook",
    keep: { until: "a day after it was delivered (MONITOR_WEBHOOK_KEEP_S), 30 days after it was given up" },
    why: "Its receiver may ask what was told.",
  },
  { table: "monitor.webhook_stop", keep: { until: "somebody resumes" }, why: "The receiver wants no more." },
  ...serviceRetention("monitor"),
];
