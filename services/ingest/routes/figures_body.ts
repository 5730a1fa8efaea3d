import { hash } from "node:crypto";
import { z } from "zod";
import type { SentAnswer } from "../../../lib/http/answer.js";
import { matches } from "../../../lib/http/precondition.js";
import { FAILURE_REASONS, METHODS, STATUS_CATEGORIES, UNPROCESSED_CODES } from "../domain/normalised.js";
import { isSuspect, meanLatencyMs, shareOf, successRate, sumBy, total } from "../figures.js";
import type { Figure, Rounding } from "../store/figures.js";

const count = z.int().nonnegative();
const counts = <Name extends string>(names: readonly Name[]) =>
  z.partialRecord(z.enum(names as [Name, ...Name[]]), count);

/** What is told of some events, whosever they are. */
export const figures = {
  events: count,
  by_status: counts(STATUS_CATEGORIES),
  by_method: counts(METHODS),
  unprocessed: counts(UNPROCESSED_CODES).meta({
    description: "By why; CONTRADICTION: hint and shape disagree.",
  }),
  success_rate: z
    .number()
    .min(0)
    .max(1)
    .nullable()
    .meta({ description: "APPROVED of APPROVED, DECLINED and FAILED." }),
  mean_latency_ms: z
    .number()
    .nullable()
    .meta({ description: "From its arrival until an event was understood." }),
  top_failure_reasons: z.array(z.object({ reason: z.enum(FAILURE_REASONS), events: count })),
};

export const roundAmounts = z
  .array(
    z.object({
      provider: z.string().nullable(),
      currency: z.string(),
      events: count,
      share: z.number(),
      suspect: z.boolean(),
    }),
  )
  .meta({ description: "Share of amounts that end in 00: where nearly all do, the unit may be wrong." });

const TOP = 10;

export function figuresOf(of: readonly Figure[]) {
  return {
    events: total(of),
    by_status: Object.fromEntries(sumBy(of, ({ status }) => status)),
    by_method: Object.fromEntries(sumBy(of, ({ method }) => method)),
    unprocessed: Object.fromEntries(sumBy(of, ({ code }) => code)),
    success_rate: successRate(of),
    mean_latency_ms: meanLatencyMs(of),
    top_failure_reasons: sumBy(of, ({ reason }) => reason)
      .slice(0, TOP)
      .map(([reason, events]) => ({ reason, events })),
  };
}

export const roundAmountsOf = (roundings: readonly Rounding[]) =>
  roundings.map((each) => ({
    provider: each.provider || null,
    currency: each.currency,
    events: each.events,
    share: shareOf(each),
    suspect: isSuspect(each),
  }));

const DAY_MS = 86_400_000;
/** Whoever names no days means the last thirty. */
const DAYS = 30;

/** UTC days, both included. A time of day is cut off. */
const dayOf = z
  .string()
  .transform((text) => text.slice(0, 10))
  .pipe(z.iso.date());

export const spanQuery = z
  .strictObject({ start_date: dayOf.optional(), end_date: dayOf.optional() })
  .refine(({ start_date: from, end_date: to }) => from === undefined || to === undefined || from <= to, {
    message: "is before start_date",
    path: ["end_date"],
  });

export function spanOf({ start_date, end_date }: z.output<typeof spanQuery>): { from: string; to: string } {
  const to = end_date ?? new Date().toISOString().slice(0, 10);
  return {
    from: start_date ?? new Date(Date.parse(to) - (DAYS - 1) * DAY_MS).toISOString().slice(0, 10),
    to,
  };
}

/** Figures change with every event; a page that asks for them every second need not be told the same each time. */
const CACHE = "private, max-age=5";

/** The answer with the tag of its bytes, or 304 for whoever has these already. */
export function tagged(answer: SentAnswer, ifNoneMatch: string | undefined): SentAnswer {
  const etag = `"${hash("sha256", answer.text).slice(0, 32)}"`;
  const headers = { etag, "cache-control": CACHE };
  return matches(ifNoneMatch, etag)
    ? { status: 304, headers, text: "" }
    : { ...answer, headers: { ...answer.headers, ...headers } };
}
