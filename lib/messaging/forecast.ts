import { adviceOf, codeOf } from "../errors.js";
import type { Queryable } from "../postgres/pool.js";
import { verdictOf } from "../retry.js";
import type { EventContract, ReceivedEvent } from "./event.js";
import { type RawEvent, readEvent } from "./read_event.js";

/** What an event would come to if it came now. */
export interface Forecast {
  readonly kind:
    | "would apply"
    /** What it says is so already: it would be done, and change nothing. */
    | "already applied"
    /** It would be recorded and not applied. */
    | "illegal"
    /** It would be tried and be a dead letter again. */
    | "would fail"
    /** It is no message of that event, or one of a later version. */
    | "unreadable";
  /** In words; '' where there is nothing to say. */
  readonly why: string;
}

/** How a module tells what an event would come to: by the decision that its handler takes, and reading only. */
export interface Forecaster<Body> {
  readonly event: EventContract<Body>;
  /** Resolves with a forecast for each event, in their order, each as if those before it had been applied. */
  readonly forecast: (db: Queryable, events: readonly ReceivedEvent<Body>[]) => Promise<readonly Forecast[]>;
}

export const wouldFail = (code: string, reason: string): Forecast => ({
  kind: "would fail",
  why: `${code}: ${reason}`,
});

/**
 * What messages would come to, in their order.
 *
 * @throws what the database says when it is away
 */
export async function forecastAll<Body>(
  { event, forecast }: Forecaster<Body>,
  db: Queryable,
  raw: readonly RawEvent[],
): Promise<readonly Forecast[]> {
  const read = raw.map((each) => readOrNot(event, each));
  const events = read.flatMap((each) => ("unreadable" in each ? [] : [each.event]));
  const told = await forecastParts(forecast, db, events);
  let next = 0;
  return read.map((each) => ("unreadable" in each ? each.unreadable : (told[next++] as Forecast)));
}

type Read<Body> = { readonly event: ReceivedEvent<Body> } | { readonly unreadable: Forecast };

function readOrNot<Body>(event: EventContract<Body>, raw: RawEvent): Read<Body> {
  try {
    return { event: readEvent(event, raw) };
  } catch (error) {
    return { unreadable: { kind: "unreadable", why: whyOf(error) } };
  }
}

/** Like a batch of events: what fails for all of them is tried with halves, until the culprit stands alone. */
async function forecastParts<Body>(
  forecast: Forecaster<Body>["forecast"],
  db: Queryable,
  events: readonly ReceivedEvent<Body>[],
): Promise<readonly Forecast[]> {
  if (events.length === 0) {
    return [];
  }
  try {
    return await forecast(db, events);
  } catch (error) {
    if (verdictOf(error) === "outage") {
      throw error;
    }
    if (events.length === 1) {
      return [{ kind: "would fail", why: whyOf(error) }];
    }
    const middle = events.length >> 1;
    const first = await forecastParts(forecast, db, events.slice(0, middle));
    return [...first, ...(await forecastParts(forecast, db, events.slice(middle)))];
  }
}

const whyOf = (error: unknown) => `${codeOf(error) ?? "INTERNAL"}: ${adviceOf(error)}`;
