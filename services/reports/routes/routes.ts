import type { Route } from "../../../lib/http/route.js";
import type { Pool } from "../../../lib/postgres/pool.js";
import type { Dependencies } from "../../../lib/runtime/lifecycle.js";
import type { Version } from "../domain/version.js";
import type { Waiting } from "../waiting.js";
import { getHealth } from "./get_health.js";
import { getReport } from "./get_report.js";
import { getVersion } from "./get_version.js";
import { putVersion } from "./put_version.js";

/** What the endpoints work with. */
export interface Resources {
  readonly pool: Pool;
  readonly waiting: Pick<Waiting, "events">;
  /** The version that this process answers with by itself; null: the active one. */
  readonly pin: Version | null;
  readonly dependencies: () => Promise<Dependencies>;
}

export const reportsRoutes = (resources: Resources): readonly Route[] => [
  getReport(resources),
  getVersion(resources),
  putVersion(resources),
  getHealth(resources),
];
