import { z } from "zod";
import { defineRoute } from "../../../lib/http/route.js";
import { VERSIONS, type Version } from "../domain/version.js";
import { readServed, type Served } from "../store/switch.js";
import type { Resources } from "./resources.js";

export const versionBody = z.object({
  version: z
    .enum(VERSIONS)
    .meta({ description: "The active one: of requests and processes that are pinned to none." }),
  epoch: z.int().positive(),
  generation: z.int().positive(),
  switched_at: z.iso.datetime(),
  switched_by: z.string(),
  pinned: z
    .enum(VERSIONS)
    .nullable()
    .meta({ description: "The version that this process answers with by itself." }),
  versions: z.array(z.enum(VERSIONS)),
});

export const getVersion = ({ pool, pin }: Resources) =>
  defineRoute({
    method: "GET",
    path: "/api/reports/version",
    summary: "The active version of the report, and who switched to it",
    answers: { 200: versionBody },
    handle: async () => versionAnswer(await readServed(pool), pin),
  });

/** The tag is the epoch: what If-Match of a switch takes. */
export const versionAnswer = (served: Served, pin: Version | null) => ({
  status: 200,
  headers: { etag: `"${served.epoch}"`, "cache-control": "no-cache" },
  body: {
    version: served.version,
    epoch: served.epoch,
    generation: served.generation,
    switched_at: served.switchedAt.toISOString(),
    switched_by: served.switchedBy,
    pinned: pin,
    versions: [...VERSIONS],
  },
});
