import type { Route } from "../../../lib/http/route.js";
import { getHealth } from "./get_health.js";
import { getReport } from "./get_report.js";
import { getVersion } from "./get_version.js";
import { putVersion } from "./put_version.js";
import type { Resources } from "./resources.js";

export const reportsRoutes = (resources: Resources): readonly Route[] => [
  getReport(resources),
  getVersion(resources),
  putVersion(resources),
  getHealth(resources),
];
