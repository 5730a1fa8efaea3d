import { type DeadLetter, original } from "../broker/dead_letter.js";
import type { QueueFamily } from "../broker/topology.js";
import { codeOf, messageOf } from "../errors.js";
import { type Forecast, type Forecaster, forecastAll } from "../messaging/forecast.js";
import type { RawEvent } from "../messaging/read_event.js";
import type { Queryable } from "../postgres/pool.js";
import { homeOf } from "./home.js";

export interface Foretelling {
  /** Of the module whose letters they are. */
  readonly db: Queryable;
  /** Those whose letters lie in the queue. */
  readonly families: readonly QueueFamily[];
  /** One for each of their events. */
  // biome-ignore lint/suspicious/noExplicitAny: each event has a body of its own
  readonly forecasters: readonly Forecaster<any>[];
}

/**
 * What letters would come to if the consumers that failed got them now: letters of one event in their order, each as if those before
 * it had been applied. Reads only.
 *
 * @returns a forecast for each letter, in their order
 */
export async function foretell(
  letters: readonly DeadLetter[],
  { db, families, forecasters }: Foretelling,
): Promise<readonly Forecast[]> {
  const told = new Map<DeadLetter, Forecast>();
  const byEvent = new Map<string | undefined, DeadLetter[]>();
  for (const letter of letters) {
    try {
      const { event } = homeOf(letter, families);
      const own = byEvent.get(event) ?? [];
      own.push(letter);
      byEvent.set(event, own);
    } catch (error) {
      told.set(letter, { kind: "unreadable", why: `${codeOf(error)}: ${messageOf(error)}` });
    }
  }
  for (const forecaster of forecasters) {
    const own = byEvent.get(forecaster.event.name) ?? [];
    const forecasts = await forecastAll(forecaster, db, own.map(rawOf));
    for (const [i, letter] of own.entries()) {
      told.set(letter, forecasts[i] as Forecast);
    }
  }
  return letters.map((letter) => told.get(letter) as Forecast);
}

/** As the consumer would get it. */
function rawOf(letter: DeadLetter): RawEvent {
  const { type, messageId, headers } = original(letter);
  return { body: letter.body, type, messageId, headers: headers ?? {} };
}
