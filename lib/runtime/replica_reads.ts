import type { Pool, Queryable } from "../postgres/pool.js";
import type { Settings } from "../settings/base.js";
import { within } from "../timing.js";
import type { Part } from "./lifecycle.js";
import type { Runtime } from "./module.js";
import { ANSWER_MS, at } from "./replicas.js";

interface ReplicaReadsOptions {
  readonly service: string;
  readonly primary: Pool;
  /** Makes the service's own pool at a replica. */
  readonly poolAt: (settings: Settings) => Pool;
}

/** What a service reads by where it may lag: a replica while one is fit, else the primary, which is asked too when the replica fails. */
export function replicaReads(
  { replicas, settings, messages }: Pick<Runtime, "replicas" | "settings" | "messages">,
  { service, primary, poolAt }: ReplicaReadsOptions,
): { readonly reads: Queryable; readonly part: Part } {
  const pools = new Map(
    replicas.forReading().map((replica) => [replica, poolAt(at(settings, replica.place))]),
  );
  const query = async (...args: Parameters<Pool["query"]>) => {
    const replica = replicas.next();
    if (replica !== undefined) {
      const late = new Error("no answer");
      try {
        const asked = (pools.get(replica) as Pool).query(...args) as unknown as Promise<unknown>;
        const answer = await within(ANSWER_MS, asked, () => late);
        messages.replicaReads.inc({ service, by: "replica" });
        return answer;
      } catch (error) {
        // A statement that is slow says nothing of the server: one that is frozen does not answer who looks at it either.
        if (error !== late) {
          replicas.failed(replica, error);
        }
      }
    }
    messages.replicaReads.inc({ service, by: "primary" });
    return primary.query(...args);
  };
  const part: Part = {
    name: "pools of replicas",
    stop: async () => {
      await Promise.all([...pools.values()].map((pool) => pool.end()));
    },
  };
  return { reads: pools.size === 0 ? primary : { query: query as Pool["query"] }, part };
}
