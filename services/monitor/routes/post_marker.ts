import { z } from "zod";
import { defineRoute } from "../../../lib/http/route.js";
import type { Pool } from "../../../lib/postgres/pool.js";
import { renewHolder } from "../store/holder.js";
import { noteBack } from "../store/marker.js";
import { holderName, holdingBody, holdingOf } from "./holding_body.js";

const LARGEST = 1_048_576;
/** Its example was never sent. */
const markerId = z
  .uuid()
  .toLowerCase()
  .meta({ examples: ["00000000-0000-7000-8000-000000000002"] });

export const postMarker = ({ pool }: { readonly pool: Pool }) =>
  defineRoute({
    method: "POST",
    path: "/api/monitor/markers/:marker_id",
    summary: "A marker of the sweep has come through the queue; with what whoever took it has in hand",
    bodyLimitBytes: LARGEST,
    request: {
      params: z.object({ marker_id: markerId }),
      body: holdingBody.extend({ holder: holderName }),
    },
    answers: { 200: z.object({ known: z.boolean() }) },
    handle: async ({ params: { marker_id }, body: { holder, ...holding } }) => {
      const known = await noteBack(pool, marker_id);
      // Later than the marker is back: what it says it holds is what it held then.
      await renewHolder(pool, holdingOf(holder, holding));
      return { status: 200, body: { known } };
    },
  });
