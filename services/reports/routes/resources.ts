import type { Pool } from "../../../lib/postgres/pool.js";
import type { Dependencies } from "../../../lib/runtime/lifecycle.js";
import type { Version } from "../domain/version.js";
import type { Waiting } from "../waiting.js";

/** What the endpoints work with. */
export interface Resources {
  readonly pool: Pool;
  readonly waiting: Pick<Waiting, "events">;
  /** The version that this process answers with by itself; null: the active one. */
  readonly pin: Version | null;
  readonly dependencies: () => Promise<Dependencies>;
}
