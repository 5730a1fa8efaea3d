import type { Route } from "../../../lib/http/route.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import type { Sweeper } from "../sweeper.js";
import { getWindow } from "./get_window.js";
import { getWindows } from "./list_windows.js";
import { type PostHeartbeatsOptions, postHeartbeats } from "./post_heartbeats.js";
import { postMarker } from "./post_marker.js";
import { postSweep } from "./post_sweep.js";
import { putHolder } from "./put_holder.js";

export interface MonitorResources extends PostHeartbeatsOptions {
  readonly sweeper: Sweeper;
  readonly reads: Queryable;
}

export const monitorRoutes = (resources: MonitorResources): readonly Route[] => [
  postHeartbeats(resources),
  postSweep(resources),
  getWindows(resources),
  getWindow(resources),
  putHolder(resources),
  postMarker(resources),
];
