import { z } from "zod";
import { defineRoute } from "../../../lib/http/route.js";
import type { Pool } from "../../../lib/postgres/pool.js";
import { windowUuid } from "../../contracts/report.js";
import { MonitorError } from "../errors.js";
import { findWindow } from "../store/window.js";
import { bodyOf, windowBody } from "./window_body.js";

export const getWindow = ({ pool }: { readonly pool: Pool }) =>
  defineRoute({
    method: "GET",
    path: "/api/monitor/windows/:window_uuid",
    summary: "A window, and which of its reports lack",
    request: { params: z.object({ window_uuid: windowUuid }) },
    answers: {
      200: windowBody.extend({
        missing_slots: z
          .array(z.int())
          .nullable()
          .meta({ description: "Reports that have not come by now; null after 28 days." }),
      }),
    },
    handle: async ({ params: { window_uuid } }) => {
      const found = await findWindow(pool, window_uuid);
      if (found === undefined) {
        throw new MonitorError("WINDOW_UNKNOWN", `nobody has told of window ${window_uuid}.`);
      }
      return {
        status: 200,
        body: { ...bodyOf(found.window), missing_slots: found.missing && [...found.missing] },
      };
    },
  });
