import type { FastifyRequest } from "fastify";
import { ANYBODY } from "../../../lib/http/api_keys.js";
import type { Ask } from "../../../lib/http/limited.js";
import type { RateLimit } from "../../../lib/http/rate_limit.js";

/** Undefined: there is none. */
export interface Limits {
  /** Of clients without an API key. */
  readonly requests: RateLimit | undefined;
  readonly events: RateLimit | undefined;
}

interface Request {
  readonly principal: string;
  readonly raw: Pick<FastifyRequest, "ip">;
}

/** Who has no key is told by its address. */
const clientOf = ({ principal, raw }: Request): string =>
  principal === ANYBODY ? `address ${raw.ip}` : `key ${principal}`;

export const requestAsk = (request: Request): Ask => ({
  key: `requests of ${clientOf(request)}`,
  cost: request.principal === ANYBODY ? 1 : 0,
  refused: "Without an API key no more requests are taken for now.",
});

/** What bodies hold is known when they are read: their events beyond one a body are counted then, and felt by the next request. */
export async function countMore(
  { events }: Limits,
  request: Request,
  results: readonly (readonly unknown[])[],
): Promise<void> {
  const more = results.reduce((sum, { length }) => sum + Math.max(0, length - 1), 0);
  if (events !== undefined && more > 0) {
    await events.take(eventsAsk(request, more).key, Math.min(more, events.quota));
  }
}

export const eventsAsk = (request: Request, events: number): Ask => ({
  key: `events of ${clientOf(request)}`,
  cost: events,
  refused: "No more events are taken of this client for now.",
  tooMuch: `These are ${events} events, more than a client may send in a minute.`,
});
