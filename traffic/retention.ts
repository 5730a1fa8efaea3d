import type { PurgedTable, Retention } from "../lib/runtime/retention.js";

/** No process of traffic stays: each run begins with the purge. */
export const TRAFFIC_RUNS: PurgedTable = {
  table: "traffic.run",
  keep: { days: 30, since: "started_at" },
  why: "An answer key is of use as long as somebody may ask what a run did.",
};

export const TRAFFIC_RETENTION: readonly Retention[] = [
  TRAFFIC_RUNS,
  ...["payment", "campaign", "partner_event", "lake_row"].map((table) => ({
    table: `traffic.${table}`,
    keep: { until: "its run goes" },
    why: "It is the run's answer key.",
  })),
];
