import type { Route } from "../../../lib/http/route.js";
import { type GetStatsOptions, getStats } from "./get_stats.js";
import { type OpenWindowOptions, openWindow } from "./open_window.js";

export const reporterRoutes = (resources: OpenWindowOptions & GetStatsOptions): readonly Route[] => [
  openWindow(resources),
  getStats(resources),
];
