import { z } from "zod";
import { id } from "../../../lib/domain/fields.js";
import { defineRoute } from "../../../lib/http/route.js";
import type { Pool } from "../../../lib/postgres/pool.js";
import { decide } from "../learning/decide.js";
import { STATES } from "../learning/known.js";
import type { Learning } from "../learning/learning.js";

interface Resources {
  readonly pool: Pool;
  readonly learning: Learning;
}

const deciding = (decision: "accept" | "reject", summary: string) => (resources: Resources) =>
  defineRoute({
    method: "POST",
    path: `/api/v1/mappings/:id/${decision}`,
    summary,
    request: { params: z.object({ id }) },
    answers: { 200: z.object({ id: z.uuid(), state: z.enum(STATES) }) },
    handle: async ({ params, principal }) => {
      const { pool, learning } = resources;
      const state = await decide(pool, learning, { id: params.id, decision, by: principal });
      // In the background: it may have read a million events. What a crash leaves any process does.
      learning.settle().catch(() => undefined);
      return { status: 200, body: { id: params.id, state } };
    },
  });

export const acceptMapping = deciding("accept", "Makes a mapping a rule");
export const rejectMapping = deciding(
  "reject",
  "Takes a mapping back for good, and has its events read anew",
);
