import { BulkheadRejectedError, bulkhead } from "cockatiel";
import { CoreError } from "../../../lib/core_errors.js";
import { type Profile, profile, profileQuery } from "../contracts/data.js";
import { Kept } from "../kept.js";
import { contentOf } from "../store/month.js";
import type { Resources } from "./resources.js";
import { look } from "./route.js";

/** So long while the month's content is the same; what was changed by hand, and what a replica did not have yet, shows after that. */
const KEPT_MS = 600_000;
/** A month is read whole. */
const AT_A_TIME = 1;
const MOST_WAITING = 3;

export const getProfile = (resources: Resources) => {
  const kept = new Kept<Profile>(KEPT_MS);
  const turns = bulkhead(AT_A_TIME, MOST_WAITING);
  const read = async (month: string): Promise<Profile> => {
    const as_of = new Date().toISOString();
    return { month, ...(await resources.platformActions.profileMonth(month)), as_of };
  };
  return look(resources, {
    path: "/data/profile",
    summary: "Shapes of a month beside published ones",
    request: { query: profileQuery },
    answer: profile,
    handle: async ({ query: { month } }) =>
      kept.of(`${month} ${await contentOf(resources.reads, `${month}-01`)}`, () =>
        turns.execute(() => read(month)).catch(refused),
      ),
  });
};

function refused(error: unknown): never {
  throw error instanceof BulkheadRejectedError
    ? new CoreError("OVERLOADED", "Other months are being read. Try again later.")
    : error;
}
