import type { Logger } from "../../../lib/observability/log.js";
import type { Pool, Queryable } from "../../../lib/postgres/pool.js";
import type { Access } from "../access.js";
import type { Actions } from "../actions.js";
import type { PlatformActions } from "../platform_actions.js";
import type { Poller } from "../poller.js";
import type { OverviewStream } from "../stream.js";

/** What the endpoints work with. */
export interface Resources {
  readonly pool: Pool;
  /** Lists and figures, which may lag. */
  readonly reads: Queryable;
  readonly logger: Logger;
  readonly access: Access;
  readonly actions: Actions;
  readonly platformActions: PlatformActions;
  readonly poller: Poller;
  readonly stream: OverviewStream;
}
