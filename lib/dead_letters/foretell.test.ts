import { expect, it } from "vitest";
import { z } from "zod";
import type { DeadLetter } from "../broker/dead_letter.js";
import { serviceQueues } from "../broker/topology.js";
import type { ReceivedEvent } from "../messaging/event.js";
import type { Queryable } from "../postgres/pool.js";
import { foretell } from "./foretell.js";

const families = serviceQueues("desk", { service: "desk-service", events: ["desk.opened", "desk.closed"] });

/** Tells by which event a letter was taken, and what else was with it. */
const forecasters = ["desk.opened", "desk.closed"].map((name) => ({
  event: { name, version: 1, schema: z.object({}), key: () => "" },
  forecast: async (_: Queryable, events: readonly ReceivedEvent<object>[]) =>
    events.map(({ messageId, attempt }) => ({
      kind: "would apply" as const,
      why: `${name} ${messageId} of ${events.length}, attempt ${attempt}`,
    })),
}));

const letter = (id: string, more: Partial<DeadLetter> = {}): DeadLetter => ({
  id,
  code: "AMOUNT_INVALID",
  reason: "",
  attempts: 4,
  firstFailedAt: undefined,
  lastFailedAt: undefined,
  worker: undefined,
  queue: undefined,
  properties: {},
  headers: { "x-attempts": 4, "x-attempt": 4 },
  body: Buffer.from("{}"),
  deliveryTag: 1,
  ...more,
});

it("each letter is looked at by the consumer that failed, as it would come", async () => {
  const letters = [
    letter("a", { properties: { type: "desk.opened" } }),
    letter("b", { properties: { type: "desk.closed" }, queue: "desk-service-desk-closed-consumer" }),
    letter("c", { properties: { type: "desk.opened" } }),
    // Its queue tells where it failed, whatever it is.
    letter("d", { properties: { type: "desk.opened" }, queue: "desk-service-desk-closed-consumer" }),
    letter("e"),
  ];
  const forecasts = await foretell(letters, { db: {} as Queryable, families, forecasters });
  expect(forecasts).toEqual([
    { kind: "would apply", why: "desk.opened a of 2, attempt 1" },
    { kind: "would apply", why: "desk.closed b of 1, attempt 1" },
    { kind: "would apply", why: "desk.opened c of 2, attempt 1" },
    { kind: "unreadable", why: expect.stringContaining("MESSAGE_MALFORMED: its type") },
    { kind: "unreadable", why: expect.stringContaining("DEAD_LETTER_QUEUE_UNKNOWN") },
  ]);
});
