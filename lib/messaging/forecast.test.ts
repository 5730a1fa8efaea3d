import { expect, it } from "vitest";
import { z } from "zod";
import type { Queryable } from "../postgres/pool.js";
import { eventMessage, type ReceivedEvent } from "./event.js";
import { type Forecast, forecastAll, wouldFail } from "./forecast.js";
import type { RawEvent } from "./read_event.js";

const event = {
  name: "test.counted",
  version: 1,
  schema: z.object({ n: z.number() }),
  key: ({ n }: { n: number }) => `${n}`,
};
type Counted = ReceivedEvent<{ n: number }>;

const NO_DATABASE = {} as Queryable;

function raw(n: number, more: Partial<RawEvent> = {}): RawEvent {
  const { body, properties } = eventMessage(event, { n }, { messageId: `m${n}` });
  return { body, type: event.name, messageId: `m${n}`, headers: properties.headers ?? {}, ...more };
}

const applies = ({ body, messageId }: Counted): Forecast => ({
  kind: "would apply",
  why: `${body.n} ${messageId}`,
});

it("each message has the forecast of its own place, those that cannot be read among them", async () => {
  const asked: number[][] = [];
  const forecast = async (_: Queryable, events: readonly Counted[]) => {
    asked.push(events.map(({ body }) => body.n));
    return events.map(applies);
  };
  const messages = [
    raw(1),
    raw(2, { body: Buffer.from("no JSON") }),
    raw(3),
    raw(4, { type: "test.other" }),
    raw(5, { headers: { "schema-version": 2 } }),
    raw(6),
  ];
  expect(await forecastAll({ event, forecast }, NO_DATABASE, messages)).toEqual([
    { kind: "would apply", why: "1 m1" },
    { kind: "unreadable", why: expect.stringMatching(/^MESSAGE_MALFORMED: /) },
    { kind: "would apply", why: "3 m3" },
    { kind: "unreadable", why: expect.stringMatching(/^MESSAGE_MALFORMED: its type is "test.other"/) },
    { kind: "unreadable", why: expect.stringMatching(/^MESSAGE_VERSION_UNKNOWN: /) },
    { kind: "would apply", why: "6 m6" },
  ]);
  expect(asked).toEqual([[1, 3, 6]]);
});

it("one that cannot be decided fails alone", async () => {
  const forecast = async (_: Queryable, events: readonly Counted[]) => {
    if (events.some(({ body }) => body.n === 3)) {
      throw Object.assign(new Error("no such text"), { code: "22021" });
    }
    return events.map(applies);
  };
  const forecasts = await forecastAll(
    { event, forecast },
    NO_DATABASE,
    [1, 2, 3, 4].map((n) => raw(n)),
  );
  expect(forecasts.map(({ kind }) => kind)).toEqual([
    "would apply",
    "would apply",
    "would fail",
    "would apply",
  ]);
  expect(forecasts[2]).toEqual(wouldFail("22021", "no such text"));
});

it("nothing is told of any while the database is away", async () => {
  const forecast = async () => {
    throw Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
  };
  await expect(forecastAll({ event, forecast }, NO_DATABASE, [raw(1)])).rejects.toThrow("refused");
});
