import { z } from "zod";
import { id } from "../../../lib/domain/fields.js";
import { defineRoute } from "../../../lib/http/route.js";
import type { Pool } from "../../../lib/postgres/pool.js";
import { IngestError } from "../errors.js";
import { findEvent } from "../store/event.js";
import { bodyOf, eventBody } from "./event_body.js";

export const getEvent = (pool: Pool) =>
  defineRoute({
    method: "GET",
    path: "/api/v1/events/:id",
    summary: "An event as it was understood, and how its payment stands",
    request: { params: z.object({ id }) },
    answers: { 200: eventBody },
    handle: async ({ params }) => {
      const event = await findEvent(pool, params.id);
      if (event === undefined) {
        throw new IngestError("INGEST_EVENT_UNKNOWN", `there is no event ${params.id}.`);
      }
      return { status: 200, body: bodyOf(event) };
    },
  });
