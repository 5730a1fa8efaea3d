import { setImmediate as breath } from "node:timers/promises";
import type { Counter } from "prom-client";
import { z } from "zod";
import { jsonItems } from "../../../lib/domain/json_items.js";
import { codeOf, type PlatformError } from "../../../lib/errors.js";
import type { Answer, SentAnswer } from "../../../lib/http/answer.js";
import { withinLimit } from "../../../lib/http/limited.js";
import type { RateLimit } from "../../../lib/http/rate_limit.js";
import { defineRoute } from "../../../lib/http/route.js";
import type { WebhookKeys } from "../../../lib/webhook/source_keys.js";
import { replayed, type SignedWebhook, verifyWebhook } from "../../../lib/webhook/verify.js";
import { partnerSource } from "../../contracts/fields.js";
import { type PartnerEvent, partnerEvent } from "../domain/event.js";
import { claimedSource, type ReadEvent, type Refused, readEvent } from "../domain/read_event.js";
import type { Intake, Outcome, Taken } from "../intake.js";
import { entryOf } from "../store/new_event.js";

const MAX_EVENTS = 10_000;
const MAX_BODY_BYTES = 16 * 1_024 * 1_024;
/** So many are read at a time, which takes some 10 ms; then others have their turn. */
const READ_AT_ONCE = 500;
/** A request's own name is looked for in so many of its events: whoever is unknown costs no more than that. */
const LOOKED_AT = 10;

const result = z.object({
  event_id: z.string().nullable(),
  outcome: z.enum(["accepted", "duplicate", "conflict", "refused"]),
  reason: z
    .enum(["event_id_used", "malformed", "too_large", "invalid", "card_data", "another_source"])
    .nullable(),
  detail: z.string().optional(),
});

export interface PostEventsOptions {
  readonly intake: Pick<Intake, "take">;
  /** Undefined: anybody may tell events of any source. */
  readonly keys: WebhookKeys | undefined;
  /** Undefined: a source may tell any number of events. */
  readonly limit: Pick<RateLimit, "take" | "quota"> | undefined;
  readonly events: Counter<"type" | "outcome">;
  readonly refusals: Counter<"code">;
}

type Signed = SignedWebhook & { readonly source: string };

/**
 * One event or a list of them, an answer for each. Who asks is settled first, then how much, then what: a signature covers the
 * bytes, and none of an unsigned request is looked at further.
 */
export const postEvents = (options: PostEventsOptions) =>
  defineRoute({
    method: "POST",
    path: "/event-collector/events",
    summary: "Events of a partner: one, or a list of up to 10,000",
    bodies: { "application/json": "bytes" },
    bodyShape: z.union([partnerEvent, z.array(partnerEvent)]),
    bodyLimitBytes: MAX_BODY_BYTES,
    answers: { 202: z.object({ results: z.array(result) }) },
    handle: async (request): Promise<Answer | SentAnswer> => {
      const { raw, traceId } = request;
      const body = raw.body as Buffer;
      const items = jsonItems(body, MAX_EVENTS);
      const signed = signedBy(options, raw.headers, { body, items });
      const source = signed?.source ?? sourceOf(items) ?? "";
      const ask = {
        key: source,
        cost: items.length,
        refused: `${source || "This source"} may tell no more events for now.`,
        tooMuch: `These are ${items.length} events, and a source may tell ${options.limit?.quota} in a minute.`,
      };
      const answer = await withinLimit(options.limit, request, ask, async (): Promise<Answer> => {
        const read = await readAll(items, signed?.source);
        const entries = read.flatMap((each) => (each.kind === "read" ? entryOf(each.event, traceId) : []));
        const taken: Taken =
          entries.length === 0 && signed === undefined
            ? []
            : await options.intake.take({ entries, webhook: signed });
        if (taken === "replayed") {
          throw counted(options, replayed());
        }
        const outcomes = taken.values();
        const results = read.map((each) => resultOf(options, each, outcomes));
        return { status: 202, body: { results } };
      });
      const refused = raw.failure?.code;
      if (refused !== undefined) {
        options.refusals.inc({ code: refused });
      }
      return answer;
    },
  });

/** @throws CoreError SIGNATURE_… */
function signedBy(
  options: PostEventsOptions,
  headers: Parameters<typeof verifyWebhook>[1],
  { body, items }: { readonly body: Buffer; readonly items: readonly Buffer[] },
): Signed | undefined {
  const { keys } = options;
  if (keys === undefined) {
    return undefined;
  }
  const source =
    items
      .slice(0, LOOKED_AT)
      .map(claimedSource)
      .find((name) => keys.has(name ?? "")) ?? "";
  try {
    return { source, ...verifyWebhook(keys.get(source) ?? [], headers, body) };
  } catch (error) {
    throw counted(options, error as PlatformError);
  }
}

/** Of an unsigned request. */
const sourceOf = (items: readonly Buffer[]): string | undefined =>
  items
    .slice(0, LOOKED_AT)
    .map(claimedSource)
    .find((name) => partnerSource.safeParse(name).success);

function counted(options: PostEventsOptions, error: PlatformError): PlatformError {
  options.refusals.inc({ code: codeOf(error) ?? "" });
  return error;
}

async function readAll(items: readonly Buffer[], source: string | undefined): Promise<readonly ReadEvent[]> {
  const read: ReadEvent[] = [];
  for (const [i, item] of items.entries()) {
    if (i > 0 && i % READ_AT_ONCE === 0) {
      await breath();
    }
    read.push(readEvent(item, source));
  }
  return read;
}

/** @param outcomes of the events that were read, in their order; the next is this one's */
function resultOf(
  options: PostEventsOptions,
  read: ReadEvent,
  outcomes: Iterator<Outcome>,
): z.output<typeof result> {
  if (read.kind === "refused") {
    return refusedResult(options, read);
  }
  const outcome = outcomes.next().value as Outcome;
  const { event_id, type }: PartnerEvent = read.event;
  options.events.inc({ type, outcome });
  return { event_id, outcome, reason: outcome === "conflict" ? "event_id_used" : null };
}

function refusedResult(
  options: PostEventsOptions,
  { eventId, reason, detail }: Refused,
): z.output<typeof result> {
  options.events.inc({ type: "none", outcome: "refused" });
  return { event_id: eventId, outcome: "refused", reason, detail };
}
