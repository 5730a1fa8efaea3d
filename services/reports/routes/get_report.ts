import { z } from "zod";
import type { SentAnswer } from "../../../lib/http/answer.js";
import { matches } from "../../../lib/http/precondition.js";
import { defineRoute } from "../../../lib/http/route.js";
import { type Model, reportOf } from "../domain/report.js";
import type { Version } from "../domain/version.js";
import { type Moment, type Read, readReport } from "../store/report.js";
import { reportBody } from "./report_body.js";
import { requireVersion } from "./require_version.js";
import type { Resources } from "./resources.js";

const PIN = "x-report-version";

/** Answers of a moment, made when they are asked for, and good until the database says that there is another moment. */
interface Kept extends Moment {
  readonly model: Model;
  readonly answers: Map<Version, SentAnswer>;
}

export const getReport = ({ pool, waiting, pin }: Resources) => {
  let latest: Kept | undefined;
  return defineRoute({
    method: "GET",
    path: "/api/reports/payments",
    summary: "Payouts and campaigns in sums, in the active version or the one that X-Report-Version names",
    vary: "X-Report-Version",
    answers: { 200: reportBody, 304: z.undefined() },
    handle: async (request) => {
      const asked = request.raw.headers;
      const known = latest;
      const read = await readReport(pool, pinned(asked[PIN]) ?? pin, known);
      const kept = keptOf(read, known);
      latest = kept;
      const headers = headersOf(read, kept.model.asOf, waiting.events);
      if (matches(asked["if-none-match"], headers.etag)) {
        return { status: 304, body: undefined, headers };
      }
      const { version } = read;
      const answer =
        kept.answers.get(version) ?? request.send({ status: 200, body: reportOf(version, kept.model) });
      kept.answers.set(version, answer);
      return { ...answer, headers: { ...answer.headers, ...headers } };
    },
  });
};

function keptOf({ epoch, position, model }: Read, known: Kept | undefined): Kept {
  if (model !== undefined) {
    return { epoch, position, model, answers: new Map() };
  }
  if (known === undefined) {
    throw new Error("a report without its matter");
  }
  return known;
}

/** The version that the request wants, if it names one. @throws ReportsError REPORT_VERSION_UNKNOWN */
const pinned = (header: string | string[] | undefined): Version | undefined =>
  header === undefined ? undefined : requireVersion(String(header), { in: "header", pointer: `#/${PIN}` });

/**
 * Of what the answer is. The tag names all that decides its bytes: version, epoch, generation and the newest event in it.
 *
 * @param waiting events in the queues; undefined: nobody knows
 */
function headersOf(
  { version, epoch, generation, position, parked }: Read,
  asOf: Date,
  waiting: number | undefined,
) {
  return {
    etag: `"${version}-${epoch}-${generation}-${position}"`,
    "cache-control": "no-cache",
    [PIN]: version,
    "x-report-epoch": String(epoch),
    "x-report-lag": lagOf({ parked, waiting, asOf }),
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
