import { z } from "zod";
import { defineRoute } from "../../../lib/http/route.js";
import type { Pool } from "../../../lib/postgres/pool.js";
import { STATES } from "../learning/known.js";
import { listMappings as find, needsOf } from "../store/learning.js";
import { mappingBody, mappingBodyOf } from "./mapping_body.js";
import { NEEDS_DAYS, needsBody, needsBodyOf } from "./needs_body.js";

export const listMappings = ({ pool }: { readonly pool: Pool }) =>
  defineRoute({
    method: "GET",
    path: "/api/v1/mappings",
    summary: "Mappings that a model gave, and how much a model is needed still",
    request: { query: z.strictObject({ state: z.enum(STATES).optional() }) },
    answers: { 200: z.object({ mappings: z.array(mappingBody), needs: needsBody }) },
    handle: async ({ query: { state } }) => {
      const mappings = (await find(pool, state && [state])).map(mappingBodyOf);
      return { status: 200, body: { mappings, needs: needsBodyOf(await needsOf(pool, NEEDS_DAYS)) } };
    },
  });
