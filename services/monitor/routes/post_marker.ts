import { z } from "zod";
import { defineRoute } from "../../../lib/http/route.js";
import type { Pool } from "../../../lib/postgres/pool.js";
import { noteBack } from "../store/marker.js";
import { asOf } from "./holding_body.js";

/** Its example was never sent. */
const markerId = z
  .uuid()
  .toLowerCase()
  .meta({ examples: ["00000000-0000-7000-8000-000000000002"] });

export const postMarker = ({ pool }: { readonly pool: Pool }) =>
  defineRoute({
    method: "POST",
    path: "/api/monitor/markers/:marker_id",
    summary:
      "A marker of the sweep has come through the queue; whoever holds reports looks at them after that",
    request: { params: z.object({ marker_id: markerId }), body: z.strictObject({}) },
    answers: { 200: z.object({ known: z.boolean(), as_of: asOf }) },
    handle: async ({ params: { marker_id } }) => {
      const { known, asOf: as_of } = await noteBack(pool, marker_id);
      return { status: 200, body: { known, as_of } };
    },
  });
