import { z } from "zod";
import { defineRoute } from "../../../lib/http/route.js";
import type { Pool } from "../../../lib/postgres/pool.js";
import { STATES } from "../learning/known.js";
import { listMappings as find } from "../store/learning.js";
import { mappingBody, mappingBodyOf } from "./mapping_body.js";

export const listMappings = ({ pool }: { readonly pool: Pool }) =>
  defineRoute({
    method: "GET",
    path: "/api/v1/mappings",
    summary: "Mappings that a model gave: candidates, rules, and what was rejected",
    request: { query: z.strictObject({ state: z.enum(STATES).optional() }) },
    answers: { 200: z.object({ mappings: z.array(mappingBody) }) },
    handle: async ({ query: { state } }) => ({
      status: 200,
      body: { mappings: (await find(pool, state && [state])).map(mappingBodyOf) },
    }),
  });
