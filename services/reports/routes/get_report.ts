import { z } from "zod";
import { defineRoute } from "../../../lib/http/route.js";
import { reportOf, versionOf } from "../domain/report.js";
import type { Version } from "../domain/version.js";
import { ReportsError } from "../errors.js";
import { type Read, readReport } from "../store/report.js";
import { reportBody } from "./report_body.js";
import type { Resources } from "./resources.js";

const PIN = "x-report-version";

export const getReport = ({ pool, waiting, pin }: Resources) =>
  defineRoute({
    method: "GET",
    path: "/api/reports/payments",
    summary: "Payouts and campaigns in sums, in the active version or the one that X-Report-Version names",
    vary: "X-Report-Version",
    answers: { 200: reportBody, 304: z.undefined() },
    handle: async ({ raw }) => {
      const read = await readReport(pool, pinned(raw.headers[PIN]) ?? pin);
      const headers = headersOf(read, waiting.events);
      return matches(raw.headers["if-none-match"], headers.etag)
        ? { status: 304, body: undefined, headers }
        : { status: 200, body: reportOf(read.version, read.model), headers };
    },
  });

/** @throws ReportsError REPORT_VERSION_UNKNOWN */
function pinned(header: string | string[] | undefined): Version | undefined {
  if (header === undefined) {
    return undefined;
  }
  const version = versionOf(String(header));
  if (version === undefined) {
    throw new ReportsError(
      "REPORT_VERSION_UNKNOWN",
      "there is no such version of the report; there are v1 and v2.",
      {
        field: { in: "header", pointer: `#/${PIN}` },
      },
    );
  }
  return version;
}

/**
 * Of what the answer is. The tag names all that decides its bytes: version, epoch, generation and the newest event in it.
 *
 * @param waiting events in the queues; undefined: nobody knows
 */
function headersOf(
  { version, epoch, generation, position, parked, model }: Read,
  waiting: number | undefined,
) {
  return {
    etag: `"${version}-${epoch}-${generation}-${position}"`,
    "cache-control": "no-cache",
    [PIN]: version,
    "x-report-epoch": String(epoch),
    "x-report-lag": lagOf({ parked, waiting, asOf: model.asOf }),
  };
}

/** Events that are told and in no sum yet, and for how long nothing has been added; 0 when there are none. */
export function lagOf({
  parked,
  waiting,
  asOf,
}: {
  readonly parked: number;
  readonly waiting: number | undefined;
  readonly asOf: Date;
}): string {
  if (waiting === undefined) {
    return "unknown";
  }
  const events = parked + waiting;
  const ms = events === 0 ? 0 : Math.max(0, Date.now() - asOf.getTime());
  return `events=${events}, ms=${ms}`;
}

/** As RFC 9110 compares for If-None-Match: weakly, and `*` is any. */
export function matches(ifNoneMatch: string | undefined, etag: string): boolean {
  const tags = (ifNoneMatch ?? "").split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  return tags.includes("*") || tags.includes(etag);
}
