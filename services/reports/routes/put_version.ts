import { z } from "zod";
import { defineRoute } from "../../../lib/http/route.js";
import { ReportsError } from "../errors.js";
import { enterSwitch, readServed } from "../store/switch.js";
import { versionAnswer, versionBody } from "./get_version.js";
import { requireVersion } from "./require_version.js";
import type { Resources } from "./resources.js";

/** Switches that meet: each round one of them has won, and there are few people who switch. */
const TRIES = 20;

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
      for (let tries = 0; tries < TRIES; tries++) {
        const switched = await enterSwitch(pool, { version, ifEpoch, by, traceId });
        const served = await readServed(pool);
        // Another one may have been faster, or faster since: then what is served is not ours, but the switch was.
        if (switched || served.version === version) {
          requireEpoch(ifEpoch, switched ? null : served.epoch);
          return versionAnswer(served, pin);
        }
        requireEpoch(ifEpoch, served.epoch);
      }
      throw new Error(`switched to ${version} ${TRIES} times in vain`);
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

/** @throws ReportsError REPORT_EPOCH_STALE */
function requireEpoch(wanted: number | null, current: number | null): void {
  if (wanted !== null && current !== null && wanted !== current) {
    throw new ReportsError(
      "REPORT_EPOCH_STALE",
      `the epoch is ${current}, not ${wanted}: somebody has switched since.`,
      {
        field: { in: "header", pointer: "#/if-match" },
      },
    );
  }
}
