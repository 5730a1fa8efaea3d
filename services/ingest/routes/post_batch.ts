import { Readable } from "node:stream";
import { z } from "zod";
import { CoreError } from "../../../lib/core_errors.js";
import { jsonItems } from "../../../lib/domain/json_items.js";
import { parseJson } from "../../../lib/domain/json_parse.js";
import { PlatformError } from "../../../lib/errors.js";
import type { SentAnswer, StreamedAnswer } from "../../../lib/http/answer.js";
import { withinLimit } from "../../../lib/http/limited.js";
import { problemOf } from "../../../lib/http/problem.js";
import { defineRoute } from "../../../lib/http/route.js";
import { SchemaMismatch } from "../../../lib/http/validation.js";
import type { Arrival } from "../arrival.js";
import type { Intake } from "../intake.js";
import { takenAnswer, takenEvent } from "./event_answer.js";
import { arrivalOf, eventRequest, eventRequests } from "./event_request.js";
import { countMore, eventsAsk, type Limits, requestAsk } from "./limits.js";

const MAX_EVENTS = 10_000;
const MAX_BODY_BYTES = 16 * 1_024 * 1_024;
const MAX_EVENT_BYTES = 256 * 1_024;
/** One transaction takes so many, some 100 ms; their answers go out before the next ones are read. */
const AT_ONCE = 1_000;
const NDJSON = "application/x-ndjson";
const NEWLINE = 0x0a;

const index = z.int().nonnegative();

/** One for each event of the request, in its order. */
const answer = z.union([
  takenEvent.extend({ index }),
  z.object({ index, events: z.array(takenEvent) }),
  z
    .object({ index, code: z.string(), detail: z.string() })
    .meta({ description: "It was refused, and not stored." }),
]);

type BatchAnswer = z.output<typeof answer>;

export const postBatch = ({ intake, limits }: { readonly intake: Intake; readonly limits: Limits }) =>
  defineRoute({
    method: "POST",
    path: "/api/v1/events/batch",
    summary:
      "Up to 10,000 events, as a list or a line each (NDJSON), with an answer for each in the same form",
    bodies: { "application/json": "bytes", [NDJSON]: "bytes" },
    bodyShape: eventRequests,
    bodyLimitBytes: MAX_BODY_BYTES,
    answers: { 201: z.array(answer) },
    cardData: "module",
    handle: (request): Promise<SentAnswer | StreamedAnswer> => {
      const { raw, traceId } = request;
      const lines = raw.headers["content-type"]?.startsWith(NDJSON) === true;
      // A body is cut into its events for those only who may send it.
      return withinLimit(limits.requests, request, requestAsk(request), () => {
        const items = (lines ? linesOf : jsonItems)(
          (raw.body as Buffer | undefined) ?? Buffer.alloc(0),
          MAX_EVENTS,
        );
        return withinLimit(limits.events, request, eventsAsk(request, items.length), async () => {
          const answers = answersTo(items, {
            intake,
            traceId,
            count: (taken) => countMore(limits, request, taken),
          });
          // What the first of them fails with is the answer to the whole request: nothing was stored.
          const first = await answers.next();
          return {
            status: 201,
            headers: { "content-type": lines ? NDJSON : "application/json; charset=utf-8" },
            stream: Readable.from(textOf(first, answers, lines), { objectMode: false }),
          };
        });
      });
    },
  });

/** @throws CoreError MESSAGE_TOO_LARGE */
function linesOf(body: Buffer, max: number): readonly Buffer[] {
  const lines: Buffer[] = [];
  for (let from = 0; from < body.length; ) {
    const found = body.indexOf(NEWLINE, from);
    const end = found < 0 ? body.length : found;
    const line = body.subarray(from, end);
    if (line.some((byte) => byte > 0x20)) {
      lines.push(line);
    }
    if (lines.length > max) {
      throw new CoreError("MESSAGE_TOO_LARGE", `The body has more than ${max} lines.`);
    }
    from = end + 1;
  }
  return lines;
}

interface AnswersOptions {
  readonly intake: Pick<Intake, "take">;
  readonly traceId: string;
  /** Told of what bodies came to, some at a time. */
  readonly count: (taken: readonly (readonly unknown[])[]) => Promise<void>;
}

/**
 * Takes events in as fast as their answers are read.
 *
 * @throws what the intake says of the first ones; of later ones it is their answer
 */
async function* answersTo(
  items: readonly Buffer[],
  { intake, traceId, count }: AnswersOptions,
): AsyncGenerator<readonly BatchAnswer[], void> {
  for (let from = 0; from < items.length; from += AT_ONCE) {
    const read = items.slice(from, from + AT_ONCE).map(readItem);
    const arrivals = read.filter((each): each is Arrival => !(each instanceof Error));
    let failure: Error | undefined;
    const taken = await intake.take(arrivals).catch((error: Error) => {
      if (from === 0) {
        throw error;
      }
      failure = error;
      return [];
    });
    await count(taken);
    const results = taken.values();
    yield read.map((each, i): BatchAnswer => {
      const refusal = each instanceof Error ? each : failure;
      return refusal === undefined
        ? { index: from + i, ...takenAnswer(results.next().value ?? []) }
        : { index: from + i, ...refusalOf(refusal, traceId) };
    });
  }
}

function readItem(item: Buffer): Arrival | Error {
  try {
    if (item.length > MAX_EVENT_BYTES) {
      throw new CoreError("MESSAGE_TOO_LARGE", `The event has more than ${MAX_EVENT_BYTES} bytes.`);
    }
    const { success, data, error } = eventRequest.safeParse(parseJson(item));
    if (!success) {
      throw new SchemaMismatch(error.issues);
    }
    return arrivalOf(data, "batch");
  } catch (error) {
    if (error instanceof PlatformError || error instanceof SchemaMismatch) {
      return error;
    }
    throw error;
  }
}

function refusalOf(error: Error, traceId: string): { readonly code: string; readonly detail: string } {
  const { code, detail, errors = [] } = problemOf(error, traceId);
  const fields = errors.map((each) => `${each.pointer} ${each.detail}`);
  return { code, detail: error instanceof SchemaMismatch ? [detail, ...fields].join(" ") : detail };
}

async function* textOf(
  first: IteratorResult<readonly BatchAnswer[], void>,
  more: AsyncGenerator<readonly BatchAnswer[], void>,
  lines: boolean,
): AsyncGenerator<string> {
  let opened = false;
  for (let next = first; next.done !== true; next = await more.next()) {
    const texts = next.value.map((each) => JSON.stringify(each));
    yield lines ? `${texts.join("\n")}\n` : `${opened ? "," : "["}${texts.join(",")}`;
    opened = true;
  }
  if (!lines) {
    yield opened ? "]" : "[]";
  }
}
