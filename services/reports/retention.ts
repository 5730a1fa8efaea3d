import { type Retention, serviceRetention } from "../../lib/runtime/retention.js";

const PROJECTED = ["payout", "payout_day", "payout_affiliate", "campaign"];

/** The archive is the truth, the rest is made of it. */
export const REPORTS_RETENTION: readonly Retention[] = [
  { table: "reports.head", keep: "for ever", why: "One row: how far the archive goes." },
  { table: "reports.event", keep: "for ever", why: "The archive, of which every report is made." },
  { table: "reports.generation", keep: "for ever", why: "Which read models there were; a row a rebuild." },
  { table: "reports.switch", keep: "for ever", why: "It proves who served which version, and when." },
  ...PROJECTED.map((table) => ({
    table: `reports.${table}`,
    keep: { until: "ten minutes after its generation was retired" },
    why: "Nobody reads it any more, and it can be made again.",
  })),
  ...serviceRetention("reports"),
];
