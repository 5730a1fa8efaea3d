import { z } from "zod";
import { defineRoute } from "../../../lib/http/route.js";
import { ReportsError } from "../errors.js";
import { switchVersion } from "../switch_version.js";
import { versionAnswer, versionBody } from "./get_version.js";
import { requireVersion } from "./require_version.js";
import type { Resources } from "./resources.js";

export const putVersion = ({ pool, pin }: Resources) =>
  defineRoute({
    method: "PUT",
    path: "/api/reports/version",
    summary:
      "Switch to a version, for all requests from now on; with If-Match only if nobody has switched since",
    request: {
      body: z.strictObject({
        version: z
          .string()
          .max(20)
          .meta({ examples: ["v2"] }),
      }),
    },
    answers: { 200: versionBody },
    handle: async ({ body, raw, principal: by, traceId }) => {
      const version = requireVersion(body.version, { in: "body", pointer: "#/version" });
      const ifEpoch = epochOf(raw.headers["if-match"]);
      return versionAnswer(await switchVersion(pool, { version, ifEpoch, by, traceId }), pin);
    },
  });

/** @returns null: whichever. @throws ReportsError REPORT_EPOCH_INVALID */
function epochOf(ifMatch: string | undefined): number | null {
  if (ifMatch === undefined || ifMatch.trim() === "*") {
    return null;
  }
  const epoch = /^"([1-9]\d{0,8})"$/.exec(ifMatch.trim())?.[1];
  if (epoch === undefined) {
    throw new ReportsError(
      "REPORT_EPOCH_INVALID",
      "If-Match takes the ETag of the version, an epoch in quotes.",
      {
        field: { in: "header", pointer: "#/if-match" },
      },
    );
  }
  return Number(epoch);
}
