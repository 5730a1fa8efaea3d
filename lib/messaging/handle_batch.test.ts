import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { Outcome } from "../broker/delivery.js";
import { CoreError } from "../core_errors.js";
import { codeOf } from "../errors.js";
import { silentLogger } from "../observability/log.js";
import { Breaker, type BreakerOptions, type Server } from "../runtime/outage.js";
import { type EventContract, eventMessage, type ReceivedEvent } from "./event.js";
import { type BatchPorts, type EventHandler, type EventOutcome, handleBatch } from "./handle_batch.js";
import type { RawEvent } from "./read_event.js";

const schema = z.object({ n: z.number() });
const event: EventContract<{ n: number }> = {
  name: "test.counted",
  version: 1,
  schema,
  key: ({ n }) => `${n}`,
};
type Counted = ReceivedEvent<{ n: number }>;
const done: EventOutcome = { kind: "done" };

function raw(n: unknown, more: Partial<RawEvent> = {}): RawEvent {
  return {
    body: Buffer.from(JSON.stringify({ n })),
    type: event.name,
    messageId: `m${String(n)}`,
    headers: {},
    ...more,
  };
}

const breakerOf = (server: Server, more: Partial<BreakerOptions> = {}) =>
  new Breaker({
    ...{ server, logger: silentLogger, stopping: new AbortController().signal },
    probe: async () => undefined,
    pause: async () => undefined,
    ...more,
  });

function ports(more: Partial<BatchPorts> = {}): BatchPorts & { readonly waits: string[] } {
  const waits: string[] = [];
  const halt = new AbortController().signal;
  return {
    waits,
    logger: silentLogger,
    halt,
    breakers: { PostgreSQL: breakerOf("PostgreSQL"), RabbitMQ: breakerOf("RabbitMQ") },
    pause: async () => undefined,
    countOutage: (code) => waits.push(code),
    publishAll: async () => undefined,
    ...more,
  };
}

/** Of each event in its place; one that is settled twice, or not at all, is told. */
async function outcomesOf(
  handler: EventHandler<{ n: number }>,
  at: BatchPorts,
  batch: readonly RawEvent[],
): Promise<Outcome[]> {
  const outcomes = new Map<number, Outcome>();
  await handleBatch(handler, at, batch, (part) => {
    for (const { place, outcome } of part) {
      expect(outcomes.has(place)).toBe(false);
      outcomes.set(place, outcome);
    }
  });
  return batch.map((_, place) => outcomes.get(place) as Outcome);
}

const sqlError = (code: string) => Object.assign(new Error("sql"), { code });

describe("a batch", () => {
  it("is handled in one call, and each event has its own outcome", async () => {
    const calls: number[][] = [];
    const handle = async (events: readonly Counted[]): Promise<EventOutcome[]> => {
      calls.push(events.map(({ body }) => body.n));
      return events.map(({ body }) => (body.n === 2 ? { kind: "reject", code: "X", reason: "two" } : done));
    };
    const outcomes = await outcomesOf(
      { event, handle },
      ports(),
      [1, 2, 3].map((n) => raw(n)),
    );
    expect(outcomes.map(({ kind }) => kind)).toEqual(["done", "reject", "done"]);
    expect(calls).toEqual([[1, 2, 3]]);
  });

  it("is settled though an event's key cannot be told", async () => {
    const keyless = {
      ...event,
      key: () => {
        throw new Error("no key");
      },
    };
    const handle = async (): Promise<EventOutcome[]> => [{ kind: "reject", code: "X", reason: "why" }];
    const outcomes = await outcomesOf({ event: keyless, handle }, ports(), [raw(1)]);
    expect(outcomes.map(({ kind }) => kind)).toEqual(["reject"]);
  });

  it("tells under each event's trace what became of it: failures to everybody, the rest to who debugs", async () => {
    const trace = "0af7651916cd43dd8448eb211c80319c";
    const headers = { traceparent: `00-${trace}-b7ad6b7169203331-01` };
    const follower = eventMessage(event, { n: 9 }, { messageId: "f" });
    const handle = async (events: readonly Counted[]): Promise<EventOutcome[]> =>
      events.map(({ body }) =>
        body.n === 2 ? { kind: "reject", code: "X", reason: "two" } : { kind: "done", followers: [follower] },
      );
    const told = async (level: string) => {
      const lines: Record<string, unknown>[] = [];
      const logger = pino({ level }, { write: (line) => void lines.push(JSON.parse(line)) });
      const broken = raw("three", { headers });
      await outcomesOf({ event, handle }, ports({ logger }), [
        raw(1, { headers }),
        raw(2, { headers }),
        broken,
      ]);
      return lines.map(({ msg, trace_id, key, causes }) => [msg, trace_id, key, causes]);
    };
    const failures = [
      [expect.stringContaining("n: "), trace, undefined, undefined],
      ["two", trace, "2", undefined],
    ];
    expect(await told("info")).toEqual(failures);
    const served = ["event handled", trace, "1", [event.name]];
    expect(await told("debug")).toEqual([failures[0], served, failures[1]]);
  });

  it("loses what is no event of its queue to the dead letters, and nothing else", async () => {
    const handle = async (events: readonly Counted[]) => events.map(() => done);
    const outcomes = await outcomesOf({ event, handle }, ports(), [
      raw(1),
      raw("one"),
      raw(2, { type: "test.other" }),
      raw(3, { type: undefined }),
      raw(4, { body: Buffer.from("{") }),
      raw(5, { headers: { "schema-version": 2 } }),
      raw(6, { headers: { "schema-version": 1 } }),
    ]);
    const codes = outcomes.map((each) => (each.kind === "reject" ? each.code : each.kind));
    const malformed = "MESSAGE_MALFORMED";
    expect(codes).toEqual([
      "done",
      malformed,
      malformed,
      malformed,
      malformed,
      "MESSAGE_VERSION_UNKNOWN",
      "done",
    ]);
  });

  it("is halved until the culprit stands alone", async () => {
    const calls: number[] = [];
    const handle = async (events: readonly Counted[]) => {
      calls.push(events.length);
      if (events.some(({ body }) => body.n === 13)) {
        throw sqlError("23514");
      }
      return events.map(() => done);
    };
    const outcomes = await outcomesOf(
      { event, handle },
      ports(),
      Array.from({ length: 64 }, (_, n) => raw(n)),
    );
    expect(outcomes.flatMap((each, i) => (each.kind === "done" ? [] : [[i, each.kind]]))).toEqual([
      [13, "reject"],
    ]);
    // Two at each size below the whole.
    expect(calls).toHaveLength(13);
  });

  it("settles each part when it is known, and does not wait for the culprit", async () => {
    const told: string[] = [];
    const handle = async (events: readonly Counted[]) => {
      const numbers = events.map(({ body }) => body.n);
      told.push(`handle ${numbers}`);
      if (numbers.includes(3)) {
        throw sqlError("P0001");
      }
      return events.map(() => done);
    };
    const batch = [0, 1, 2, 3].map((n) => raw(n));
    await handleBatch({ event, handle }, ports(), [...batch, raw("none")], (part) => {
      told.push(`settle ${part.map(({ place, outcome }) => `${place} ${outcome.kind}`)}`);
    });
    expect(told).toEqual([
      "settle 4 reject",
      "handle 0,1,2,3",
      "handle 0,1",
      "settle 0 done,1 done",
      "handle 2,3",
      "handle 2",
      "settle 2 done",
      "handle 3",
      "settle 3 retry",
    ]);
  });

  it.each([
    ["40P01", 0],
    ["40001", 0],
    ["57P01", 1],
    ["ECONNREFUSED", 1],
  ])("waits out %s whole, without an attempt", async (code, outages) => {
    let tries = 0;
    const sizes: number[] = [];
    const handle = async (events: readonly Counted[]) => {
      sizes.push(events.length);
      tries += 1;
      if (tries < 3) {
        throw sqlError(code);
      }
      return events.map(() => done);
    };
    const at = ports();
    const outcomes = await outcomesOf({ event, handle }, at, [raw(1), raw(2)]);
    expect(outcomes).toEqual([{ kind: "done" }, { kind: "done" }]);
    expect(sizes).toEqual([2, 2, 2]);
    expect(at.waits).toHaveLength(outages * 2);
  });

  it("that waits for a server says in the log what that server lacks, as its breaker knows", async () => {
    const lines: string[] = [];
    const logger = pino({}, { write: (line) => void lines.push(JSON.parse(line).msg) });
    const reasonOf = (error: unknown) => `it lacks what ${codeOf(error)} says`;
    const breaker = breakerOf("PostgreSQL", { reasonOf });
    let tries = 0;
    const handle = async () => {
      tries += 1;
      if (tries === 1) {
        throw sqlError("53100");
      }
      return [done];
    };
    const breakers = { PostgreSQL: breaker, RabbitMQ: breakerOf("RabbitMQ") };
    await outcomesOf({ event, handle }, ports({ logger, breakers }), [raw(1)]);
    expect(lines).toContain("waiting for PostgreSQL: it lacks what 53100 says");
  });

  it("is halved where a lock is not to be had, without an attempt; the one that needs it waits in the ladder", async () => {
    const sizes: number[] = [];
    const handle = async (events: readonly Counted[]) => {
      sizes.push(events.length);
      if (events.some(({ body }) => body.n === 3)) {
        throw sqlError("55P03");
      }
      return events.map(() => done);
    };
    const outcomes = await outcomesOf(
      { event, handle },
      ports(),
      [0, 1, 2, 3].map((n) => raw(n)),
    );
    expect(outcomes.map(({ kind }) => kind)).toEqual(["done", "done", "done", "release"]);
    expect(sizes).toEqual([4, 2, 2, 1, 1]);
  });

  it("is done but for what somebody holds; that is tried again alone, and then waits in the ladder", async () => {
    const calls: number[][] = [];
    const handle = async (events: readonly Counted[]): Promise<EventOutcome[]> => {
      calls.push(events.map(({ body }) => body.n));
      const held = (n: number) => n === 1 || (n === 2 && calls.length < 3);
      return events.map(({ body }) => (held(body.n) ? { kind: "held" } : done));
    };
    const outcomes = await outcomesOf(
      { event, handle },
      ports(),
      [0, 1, 2, 3].map((n) => raw(n)),
    );
    expect(outcomes.map(({ kind }) => kind)).toEqual(["done", "release", "done", "done"]);
    expect(calls).toEqual([[0, 1, 2, 3], [1, 2], [1, 2], [1], [1]]);
  });

  it("is not done again when only its followers could not be published", async () => {
    let handled = 0;
    const sent: unknown[] = [];
    const follower = eventMessage(event, { n: 7 }, { messageId: "01920000-0000-7000-8000-000000000000" });
    const handle = async (events: readonly Counted[]): Promise<EventOutcome[]> => {
      handled += 1;
      return events.map(() => ({ kind: "done", followers: [follower] }));
    };
    let failures = 2;
    const publishAll: BatchPorts["publishAll"] = async (messages) => {
      if (failures > 0) {
        failures -= 1;
        throw new CoreError("PUBLISH_TIMEOUT", "no confirm");
      }
      sent.push(...messages);
    };
    expect(await outcomesOf({ event, handle }, ports({ publishAll }), [raw(1)])).toEqual([{ kind: "done" }]);
    expect([handled, sent.length]).toEqual([1, 1]);
  });

  it("is handed back when the process is to stop", async () => {
    const stop = new AbortController();
    const handle = async (): Promise<EventOutcome[]> => {
      stop.abort();
      throw sqlError("57P01");
    };
    const outcomes = await outcomesOf({ event, handle }, ports({ halt: stop.signal }), [raw(1), raw(2)]);
    expect(outcomes).toEqual([{ kind: "release" }, { kind: "release" }]);
  });
});
