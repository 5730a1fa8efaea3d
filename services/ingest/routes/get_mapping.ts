import { z } from "zod";
import { id } from "../../../lib/domain/fields.js";
import { defineRoute } from "../../../lib/http/route.js";
import type { Pool } from "../../../lib/postgres/pool.js";
import { IngestError } from "../errors.js";
import { findMapping } from "../store/learning.js";
import { mappingBody, mappingBodyOf } from "./mapping_body.js";

export const getMapping = ({ pool }: { readonly pool: Pool }) =>
  defineRoute({
    method: "GET",
    path: "/api/v1/mappings/:id",
    summary: "A learned mapping",
    request: { params: z.object({ id }) },
    answers: { 200: mappingBody },
    handle: async ({ params }) => {
      const found = await findMapping(pool, params.id);
      if (found === undefined) {
        throw new IngestError("MAPPING_UNKNOWN", `there is no mapping ${params.id}.`);
      }
      return { status: 200, body: mappingBodyOf(found) };
    },
  });
